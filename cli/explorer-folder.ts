import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError } from '../src/errors.js';
import { project } from '../src/util/project-root.js';

/** Files of the explorer, with what a server calls them. */
export const EXPLORER_FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'explorer.js': 'text/javascript; charset=utf-8',
  'build.json': 'application/json',
};

/**
 * The folder of the explorer. A clone builds it when it is missing or older than its sources; a package ships it.
 * @throws EnvironmentError when it cannot be built, or the package lacks it
 */
export function explorerFolder(): string {
  const { root } = project();
  const folder = join(root, 'dist', 'explorer');
  const build = join(root, 'tools', 'explorer', 'build.mjs');
  if (existsSync(build)) {
    const { status, stderr } = spawnSync(process.execPath, [build, '--if-changed'], { encoding: 'utf8' });
    if (status !== 0)
      throw new EnvironmentError(`the explorer cannot be built (npm run explorer:build): ${stderr.trim()}`);
  }
  const missing = Object.keys(EXPLORER_FILES).find((name) => !existsSync(join(folder, name)));
  if (missing !== undefined)
    throw new EnvironmentError(`${join(folder, missing)} is missing: install dllm-npu again`);
  return folder;
}
