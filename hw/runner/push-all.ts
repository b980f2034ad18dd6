import { statSync } from 'node:fs';
import type { CommandRunner, TransferOptions } from './command-runner.js';

/** A local file and where it goes. */
export type FilePair = readonly [local: string, remote: string];

/** Pushes files one after the other; the progress is that of all their bytes. @throws DeviceError as `push` */
export async function pushAll(
  runner: CommandRunner,
  files: readonly FilePair[],
  { signal, onProgress }: TransferOptions,
): Promise<void> {
  const total = files.reduce((sum, [local]) => sum + statSync(local).size, 0);
  let before = 0;
  for (const [local, remote] of files) {
    const start = before;
    await runner.push(local, remote, {
      signal,
      onProgress: (done) => onProgress?.(start + done, total),
    });
    before += statSync(local).size;
    onProgress?.(before, total);
  }
}
