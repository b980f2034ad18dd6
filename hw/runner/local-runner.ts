import { createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileSha256 } from '../../src/model/load.js';
import { environmentFailure } from '../device-error.js';
import {
  type CommandResult,
  type CommandRunner,
  DEFAULT_TIMEOUT_MS,
  type FileStat,
  type PushOutcome,
  type TargetCommand,
  type TransferOptions,
} from './command-runner.js';
import { spawnCollect } from './spawn-collect.js';

/** This machine as a target. */
export class LocalRunner implements CommandRunner {
  readonly name = 'this machine';
  readonly sharesFiles = true;

  async exec(command: TargetCommand): Promise<CommandResult> {
    const { argv, cwd, env, signal, timeoutMs = DEFAULT_TIMEOUT_MS, label = argv[0] ?? '' } = command;
    try {
      const exit = await spawnCollect(argv, {
        timeoutMs,
        cwd,
        env,
        signal,
      });
      if (exit.timedOut) throw timeoutFailure(label, timeoutMs);
      if (exit.code === null) {
        const reason = `${label} was ended by ${exit.signal}`;
        throw environmentFailure('run', reason, 'Its own output says more: run it by hand');
      }
      return { exitCode: exit.code, stdout: exit.stdout, stderr: exit.stderr };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' || code === 'EACCES') {
        throw environmentFailure(
          'run',
          `${argv[0]} cannot be started (${code})`,
          'Check the path of the tool',
        );
      }
      throw error;
    }
  }

  async push(local: string, remote: string, options: TransferOptions = {}): Promise<PushOutcome> {
    if (!existsSync(local)) throw environmentFailure('push', `${local} does not exist`);
    if (existsSync(remote) && (await fileSha256(local)) === (await fileSha256(remote))) return 'present';
    await copy(local, remote, options);
    return 'sent';
  }

  async pull(remote: string, local: string, options: TransferOptions = {}): Promise<void> {
    if (!existsSync(remote)) throw environmentFailure('pull', `${remote} does not exist on ${this.name}`);
    await copy(remote, local, options);
  }

  async pushTree(local: string, remote: string, { signal }: TransferOptions = {}): Promise<void> {
    if (!existsSync(local)) throw environmentFailure('push', `${local} does not exist`);
    await copyTree(local, remote, signal);
  }

  async pullTree(remote: string, local: string, { signal }: TransferOptions = {}): Promise<void> {
    if (!existsSync(remote)) throw environmentFailure('pull', `${remote} does not exist on ${this.name}`);
    await copyTree(remote, local, signal);
  }

  async stat(remote: string): Promise<FileStat | null> {
    if (!existsSync(remote)) return null;
    const found = statSync(remote);
    return { bytes: found.size, directory: found.isDirectory() };
  }

  async sha256(remote: string): Promise<string> {
    return fileSha256(remote);
  }

  async makeWorkDirectory(): Promise<string> {
    return mkdtempSync(join(tmpdir(), 'dllm-npu-'));
  }

  async remove(remote: string): Promise<void> {
    await rm(remote, { recursive: true, force: true });
  }

  join(...parts: readonly string[]): string {
    return join(...parts);
  }
}

/** Copies under another name first, so that nobody sees half a file. */
async function copy(from: string, to: string, { onProgress, signal }: TransferOptions): Promise<void> {
  const total = statSync(from).size;
  const partial = `${to}.partial`;
  mkdirSync(dirname(to), { recursive: true });
  try {
    let done = 0;
    const source = createReadStream(from);
    source.on('data', (chunk) => {
      done += chunk.length;
      onProgress?.(done, total);
    });
    await pipeline(source, createWriteStream(partial), { signal });
    await rename(partial, to);
  } catch (error) {
    await rm(partial, { force: true });
    signal?.throwIfAborted();
    throw environmentFailure('copy', error instanceof Error ? error.message : String(error));
  }
}

async function copyTree(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  const partial = `${to}.partial`;
  mkdirSync(dirname(to), { recursive: true });
  try {
    await cp(from, partial, { recursive: true });
    signal?.throwIfAborted();
    await rm(to, { recursive: true, force: true });
    await rename(partial, to);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    signal?.throwIfAborted();
    throw environmentFailure('copy', error instanceof Error ? error.message : String(error));
  }
}

function timeoutFailure(label: string, timeoutMs: number) {
  return environmentFailure(
    'run',
    `${label} did not end within ${timeoutMs / 1000} s and was killed`,
    'Give it more time (--timeout) or look at its log',
  );
}
