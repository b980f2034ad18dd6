import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where things that can be made or fetched again are kept: `$DLLM_NPU_CACHE`, else `$XDG_CACHE_HOME/dllm-npu`, else `~/.cache/dllm-npu`. */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env.DLLM_NPU_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dllm-npu');
}
