import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { fileSha256 } from '../../src/model/load.js';
import { environmentFailure, lastLine } from '../device-error.js';
import type { AdbClient } from './adb-client.js';
import { AdbError, problemOf } from './adb-error.js';
import type { AdbShell } from './adb-shell.js';
import type { CommandResult, PushOutcome, TransferOptions } from './command-runner.js';

/** How often a transfer is taken up again after the connection broke. */
const ATTEMPTS = 3;
/** Slowest connection that is waited for. */
const MIN_BYTES_PER_S = 500_000;
const MIN_TIMEOUT_MS = 60_000;

/** Time that a transfer may take. */
export function transferTimeoutMs(bytes: number): number {
  return MIN_TIMEOUT_MS + (1000 * bytes) / MIN_BYTES_PER_S;
}

/**
 * Sends files by content. A file travels under a name made of its hash, so that half of it is never taken for whole and a
 * later attempt goes on where the last one ended; it gets its own name when its SHA-256 on the phone is right.
 *
 * A list beside the files (`.dllm-npu-sent`) says which content has which inode, size and time of change, so that
 * a file of gigabytes that is there already need not be hashed again on the phone.
 */
export class AdbPush {
  constructor(
    private readonly client: AdbClient,
    private readonly shell: AdbShell,
  ) {}

  /** @see CommandRunner.push */
  async push(local: string, remote: string, options: TransferOptions = {}): Promise<PushOutcome> {
    if (!existsSync(local)) throw environmentFailure('push', `${local} does not exist`);
    const { size } = statSync(local);
    const sha256 = await fileSha256(local);
    const file = { local, remote, size, sha256, partial: partialOf(remote, sha256) };
    let resumed = false;
    for (let attempt = 1; ; attempt++) {
      const state = await this.look(file, options.signal);
      if (state === 'present') return state;
      resumed ||= state.partialBytes > 0;
      try {
        await this.send(file, state, options);
      } catch (error) {
        const lost = error instanceof AdbError && ['disconnected', 'offline'].includes(error.problem);
        if (!lost || attempt === ATTEMPTS) throw error;
        if (!(await this.client.reconnect(this.shell.serial, options.signal))) throw error;
        continue;
      }
      if (await this.settle(file, options.signal)) return resumed ? 'resumed' : 'sent';
      // What was there is not what was sent, and is gone now; or a broken connection hid that it is in place already.
      if (attempt === ATTEMPTS) throw damaged(this.shell.serial);
      resumed = false;
    }
  }

  /**
   * What the phone has of a file: all of it under its name, or so many bytes of an earlier attempt. The file is
   * not hashed on the phone when the list knows it, and hashed when only the size agrees. Also makes the directory.
   */
  private async look(file: Transfer, signal?: AbortSignal): Promise<'present' | PartialState> {
    const { remote, size, sha256, partial } = file;
    const result = await this.run(
      `mkdir -p "$5" || exit 1
       if [ -f "$1" ] && [ "$(stat -c %s "$1")" = "$2" ]; then
         if grep -qxF "$3 $(stat -c '%i %s %z' "$1")" "$4" 2>/dev/null; then echo "$3"; else sha256sum < "$1"; fi
       else echo -; fi
       if [ -f "$6" ]; then stat -c %s "$6"; else echo 0; fi
       df -Pk "$5" 2>/dev/null || true`,
      [remote, String(size), sha256, manifestOf(remote), posix.dirname(remote), partial],
      signal,
    );
    if (result.exitCode !== 0) throw failureOf('push', result, `${remote} cannot be made`);
    const [held = '', partialBytes = '0', ...df] = result.stdout.trim().split('\n');
    if (held.startsWith(sha256)) return 'present';
    const freeBytes = Number(df.at(-1)?.trim().split(/\s+/)[3]) * 1024;
    return { partialBytes: Number(partialBytes), freeBytes: Number.isNaN(freeBytes) ? null : freeBytes };
  }

  private async send(
    { local, partial, size }: Transfer,
    { partialBytes, freeBytes }: PartialState,
    { onProgress, signal }: TransferOptions,
  ): Promise<void> {
    // More than the file has is no earlier attempt of it.
    const start = partialBytes > size ? 0 : partialBytes;
    if (freeBytes !== null && freeBytes < size - start) {
      // Refused before it has cost minutes.
      await this.discard(partial);
      const reason = `${megabytes(size - start)} do not fit on ${this.shell.serial}, ${megabytes(freeBytes)} are free`;
      throw new AdbError('disk-full', 'push', reason);
    }
    if (start === size && size > 0) return;
    const source = createReadStream(local, { start });
    let done = start;
    source.on('data', (chunk) => {
      done += chunk.length;
      onProgress?.(done, size);
    });
    const result = await this.shell.exec(
      {
        argv: ['sh', '-c', `cat ${start === 0 ? '>' : '>>'} "$1"`, 'sh', partial],
        timeoutMs: transferTimeoutMs(size - start),
        signal,
      },
      source,
    );
    if (result.exitCode === 0) return;
    // What fits no more is of no use to the next attempt and keeps the phone full.
    await this.discard(partial);
    throw failureOf('push', result, `${local} could not be written on ${this.shell.serial}`);
  }

  private async discard(partial: string): Promise<void> {
    await this.run('rm -f "$1"', [partial]).catch(() => {});
  }

  /** Gives a transferred file its name, if it is what was sent. False when it is not: it is removed then. */
  private async settle({ partial, remote, sha256 }: Transfer, signal?: AbortSignal): Promise<boolean> {
    const result = await this.run(
      `case "$(sha256sum < "$1")" in "$3"*) ;; *) rm -f "$1"; echo damaged; exit 0;; esac
       mv -f "$1" "$2" && echo "$3 $(stat -c '%i %s %z' "$2")" >> "$4"`,
      [partial, remote, sha256, manifestOf(remote)],
      signal,
    );
    if (result.exitCode !== 0) throw failureOf('push', result, `${remote} could not be put in place`);
    return !result.stdout.startsWith('damaged');
  }

  /** A few lines of shell with their words as arguments. They may all run twice. */
  private run(script: string, args: readonly string[], signal?: AbortSignal): Promise<CommandResult> {
    return this.shell.exec({
      argv: ['sh', '-c', script, 'sh', ...args],
      repeatable: true,
      timeoutMs: HASH_TIMEOUT_MS,
      signal,
    });
  }
}

function damaged(serial: string): AdbError {
  return new AdbError(
    'refused',
    'push',
    `what arrived on ${serial} is not what was sent, and was removed`,
    'Run it again',
  );
}

interface Transfer {
  readonly local: string;
  readonly remote: string;
  readonly size: number;
  readonly sha256: string;
  /** Name under which it travels. */
  readonly partial: string;
}

interface PartialState {
  readonly partialBytes: number;
  /** Null when the phone does not tell. */
  readonly freeBytes: number | null;
}

/** A phone hashes a gigabyte in seconds; a slow one with a large model needs minutes. */
const HASH_TIMEOUT_MS = 600_000;

const manifestOf = (remote: string): string => posix.join(posix.dirname(remote), '.dllm-npu-sent');

const partialOf = (remote: string, sha256: string): string =>
  posix.join(posix.dirname(remote), `.${sha256.slice(0, 32)}.partial`);

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** What a command said, as an error. */
export function failureOf(stage: string, { stderr, exitCode }: CommandResult, what: string): AdbError {
  const said = lastLine(stderr) || `exit code ${exitCode}`;
  return new AdbError(problemOf(stderr) === 'disk-full' ? 'disk-full' : 'refused', stage, `${what}: ${said}`);
}

/** A name that nothing on the phone has yet. */
export function freshName(prefix: string): string {
  return `${prefix}${randomBytes(6).toString('hex')}`;
}
