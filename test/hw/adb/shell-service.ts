import { spawn } from 'node:child_process';
import type { Channel } from './channel.js';
import { Cutter } from './packets.js';

/** Streams of shell protocol 2. */
const STREAM = { stdin: 0, stdout: 1, stderr: 2, exit: 3, closeStdin: 4 } as const;

function frame(id: number, data: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(id, 0);
  header.writeUInt32LE(data.length, 1);
  return Buffer.concat([header, data]);
}

/** Runs a command with the real shell, in a group of its own as adbd does, and speaks shell protocol 2 about it. */
export function serveShell(
  channel: Channel,
  command: string,
  {
    env = {},
    shell = '/bin/sh',
  }: { readonly env?: Readonly<Record<string, string>>; readonly shell?: string },
): void {
  const child = spawn(shell, ['-c', command], { env: { ...process.env, ...env }, detached: true });
  const cutter = new Cutter();
  channel.on('data', (bytes, taken) => {
    cutter.push(bytes);
    for (;;) {
      const header = cutter.peek(5);
      if (header === null || cutter.peek(5 + header.readUInt32LE(1)) === null) break;
      const whole = cutter.take(5 + header.readUInt32LE(1))!;
      if (whole[0] === STREAM.stdin) child.stdin.write(whole.subarray(5));
      if (whole[0] === STREAM.closeStdin) child.stdin.end();
    }
    // Slow readers slow the sender down.
    if (child.stdin.writableNeedDrain) child.stdin.once('drain', taken);
    else taken();
  });
  child.stdin.on('error', () => {});
  // A daemon that lost its peer closes the pipes and lets the command notice.
  channel.on('close', () => child.stdin.destroy());
  const pass = (id: number) => (data: Buffer) => channel.write(frame(id, data));
  child.stdout.on('data', pass(STREAM.stdout));
  child.stderr.on('data', pass(STREAM.stderr));
  child.on('close', async (code, signal) => {
    await channel.write(frame(STREAM.exit, Buffer.from([code ?? (signal === 'SIGKILL' ? 137 : 255)])));
    await channel.end();
  });
}
