import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { fileSha256 } from '../../src/model/load.js';
import { environmentFailure } from '../device-error.js';
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
    if (await this.holds(remote, size, sha256)) return 'present';
    const directory = posix.dirname(remote);
    const partial = posix.join(directory, `.${sha256.slice(0, 32)}.partial`);
    await this.run('mkdir -p "$1"', [directory], options.signal);
    let resumed = false;
    for (let attempt = 1; ; attempt++) {
      const start = await this.partialBytes(partial, size);
      resumed ||= start > 0;
      try {
        if (start < size) await this.send(local, partial, { start, size }, options);
        else if (size === 0) await this.run(': > "$1"', [partial], options.signal);
        break;
      } catch (error) {
        const lost = error instanceof AdbError && ['disconnected', 'offline'].includes(error.problem);
        if (
          !lost ||
          attempt === ATTEMPTS ||
          !(await this.client.reconnect(this.shell.serial, options.signal))
        )
          throw error;
      }
    }
    await this.settle(partial, remote, sha256, options.signal);
    return resumed ? 'resumed' : 'sent';
  }

  /** Whether the phone has this content under this name. */
  private async holds(remote: string, size: number, sha256: string): Promise<boolean> {
    // Not hashed when the list knows it; hashed when only the size agrees.
    const { stdout } = await this.run(
      `[ -f "$1" ] && [ "$(stat -c %s "$1")" = "$2" ] || exit 0
       if grep -qxF "$3 $(stat -c '%i %s %z' "$1")" "$4" 2>/dev/null; then echo "$3"; else sha256sum < "$1"; fi`,
      [remote, String(size), sha256, manifestOf(remote)],
    );
    return stdout.startsWith(sha256);
  }

  /** Bytes of an earlier attempt; more than the file has is no earlier attempt of it. */
  private async partialBytes(partial: string, size: number): Promise<number> {
    const { stdout } = await this.run('[ -f "$1" ] && stat -c %s "$1" || echo 0', [partial]);
    const bytes = Number(stdout.trim());
    if (bytes <= size) return bytes;
    await this.run('rm -f "$1"', [partial]);
    return 0;
  }

  private async send(
    local: string,
    partial: string,
    { start, size }: { readonly start: number; readonly size: number },
    { onProgress, signal }: TransferOptions,
  ): Promise<void> {
    await this.checkSpace(partial, size - start);
    const source = createReadStream(local, { start });
    let done = start;
    source.on('data', (chunk) => {
      done += chunk.length;
      onProgress?.(done, size);
    });
    const timeoutMs = transferTimeoutMs(size - start);
    const argv = ['sh', '-c', 'cat >> "$1"', 'sh', partial];
    const result = await this.shell.exec(
      { argv, timeoutMs, ...(signal === undefined ? {} : { signal }) },
      source,
    );
    if (result.exitCode === 0) return;
    // What fits no more is of no use to the next attempt and keeps the phone full.
    await this.run('rm -f "$1"', [partial]).catch(() => {});
    throw failureOf('push', result, `${local} could not be written on ${this.shell.serial}`);
  }

  /** Refuses a transfer that cannot fit before it has cost minutes. */
  private async checkSpace(partial: string, needed: number): Promise<void> {
    const { stdout } = await this.run('df -Pk "$1" 2>/dev/null || true', [posix.dirname(partial)]);
    const free = Number(stdout.trim().split('\n').at(-1)?.trim().split(/\s+/)[3]) * 1024;
    if (Number.isNaN(free) || free >= needed) return;
    await this.run('rm -f "$1"', [partial]).catch(() => {});
    const reason = `${megabytes(needed)} do not fit on ${this.shell.serial}, ${megabytes(free)} are free`;
    throw new AdbError('disk-full', 'push', reason);
  }

  /** Gives a transferred file its name, if it is what was sent. */
  private async settle(partial: string, remote: string, sha256: string, signal?: AbortSignal): Promise<void> {
    const result = await this.run(
      `case "$(sha256sum < "$1")" in "$3"*) ;; *) rm -f "$1"; echo damaged; exit 0;; esac
       mv -f "$1" "$2" && echo "$3 $(stat -c '%i %s %z' "$2")" >> "$4"`,
      [partial, remote, sha256, manifestOf(remote)],
      signal,
    );
    if (result.stdout.startsWith('damaged')) {
      const reason = `what arrived on ${this.shell.serial} is not what was sent, and was removed`;
      throw new AdbError('refused', 'push', reason, 'Run it again');
    }
    if (result.exitCode !== 0) throw failureOf('push', result, `${remote} could not be put in place`);
  }

  /** A few lines of shell with their words as arguments. They may all run twice. */
  private run(script: string, args: readonly string[], signal?: AbortSignal): Promise<CommandResult> {
    return this.shell.exec({
      argv: ['sh', '-c', script, 'sh', ...args],
      repeatable: true,
      timeoutMs: HASH_TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

/** A phone hashes a gigabyte in seconds; a slow one with a large model needs minutes. */
const HASH_TIMEOUT_MS = 600_000;

const manifestOf = (remote: string): string => posix.join(posix.dirname(remote), '.dllm-npu-sent');

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** What a command said, as an error. */
export function failureOf(stage: string, { stderr, exitCode }: CommandResult, what: string): AdbError {
  const said = stderr.trim().split('\n').at(-1) || `exit code ${exitCode}`;
  return new AdbError(problemOf(stderr) === 'disk-full' ? 'disk-full' : 'refused', stage, `${what}: ${said}`);
}

/** A name that nothing on the phone has yet. */
export function freshName(prefix: string): string {
  return `${prefix}${randomBytes(6).toString('hex')}`;
}
