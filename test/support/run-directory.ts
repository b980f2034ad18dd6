import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buildOf } from './built-program.js';

/** One temporary directory for all tests of a run, gone at its end: what they make in `os.tmpdir()` stays nowhere. */
export default function setup(): () => void {
  // Every project of a run calls this; the first has made it.
  if (basename(tmpdir()).startsWith('dllm-')) return () => {};
  // Short: the path of a Unix socket has 108 characters.
  const directory = mkdtempSync(join(tmpdir(), 'dllm-'));
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = directory;
  return () => {
    for (const made of [directory, buildOf(directory)])
      rmSync(made, { recursive: true, force: true, maxRetries: 3 });
  };
}
