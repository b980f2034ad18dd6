import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One temporary directory for all tests of a run, gone at its end: what they make in `os.tmpdir()` stays nowhere. */
export default function setup(): () => void {
  // Short: the path of a Unix socket has 108 characters.
  const directory = mkdtempSync(join(tmpdir(), 'dllm-'));
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = directory;
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}
