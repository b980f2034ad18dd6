import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, posix, resolve } from 'node:path';
import { environmentFailure } from '../device-error.js';
import { AdbClient, type AdbOptions, adbSaid } from './adb-client.js';
import { AdbError, problemOf } from './adb-error.js';
import { AdbPush, failureOf, freshName, transferTimeoutMs } from './adb-push.js';
import { AdbShell } from './adb-shell.js';
import type {
  CommandResult,
  CommandRunner,
  FileStat,
  PushOutcome,
  TargetCommand,
  TransferOptions,
} from './command-runner.js';
import type { Exit } from './spawn-collect.js';
import { leftBehind, workName } from './work-name.js';

export interface AdbRunnerOptions extends AdbOptions {
  /** Where work directories are made on the phone: a place where programs may run. */
  readonly directory?: string;
}

/** Place where the shell user of a phone may write and run programs. */
export const ADB_DIRECTORY = '/data/local/tmp/dllm-npu';

const HASH_TIMEOUT_MS = 600_000;
const TREE_TIMEOUT_MS = 600_000;

/** A phone behind the `adb` program, which keeps its own server and connections. */
export class AdbRunner implements CommandRunner {
  readonly name: string;
  readonly sharesFiles = false;
  private readonly sender: AdbPush;

  private constructor(
    private readonly client: AdbClient,
    private readonly shell: AdbShell,
    private readonly directory: string,
    /** Model as `adb devices -l` names it. */
    readonly model: string | null,
  ) {
    this.name = `adb:${shell.serial}`;
    this.sender = new AdbPush(client, shell);
  }

  get serial(): string {
    return this.shell.serial;
  }

  /**
   * Finds the phone and checks that it can be used. Leaves nothing on it.
   * @throws AdbError when adb is missing, or no, several or an unusable phone is connected
   */
  static async open(options: AdbRunnerOptions = {}): Promise<AdbRunner> {
    const client = new AdbClient(options);
    const asked = options.serial ?? options.env?.ANDROID_SERIAL;
    const { serial, model } = await client.select(asked === '' ? undefined : asked);
    if (!(await client.features(serial)).includes('shell_v2')) {
      const reason = `${serial} does not tell exit codes (no shell protocol 2)`;
      throw new AdbError('too-old', 'adb', reason);
    }
    return new AdbRunner(client, new AdbShell(client, serial), options.directory ?? ADB_DIRECTORY, model);
  }

  exec(command: TargetCommand): Promise<CommandResult> {
    return this.shell.exec(command);
  }

  push(local: string, remote: string, options: TransferOptions = {}): Promise<PushOutcome> {
    return this.sender.push(local, remote, options);
  }

  async pull(remote: string, local: string, options: TransferOptions = {}): Promise<void> {
    const found = await this.stat(remote);
    if (found === null || found.directory) {
      throw environmentFailure('pull', `${remote} does not exist on ${this.name}`);
    }
    await this.fetch(remote, local, transferTimeoutMs(found.bytes), options, async (partial) => {
      if ((await stat(partial)).size !== found.bytes)
        throw new AdbError('disconnected', 'pull', `${remote} came short`);
      options.onProgress?.(found.bytes, found.bytes);
    });
  }

  async pushTree(local: string, remote: string, { signal }: TransferOptions = {}): Promise<void> {
    if (!existsSync(local)) throw environmentFailure('push', `${local} does not exist`);
    const partial = `${remote}.partial`;
    try {
      await this.must('push', 'rm -rf "$1" && mkdir -p "$1"', [partial]);
      const exit = await this.transfer(
        ['push', `${resolve(local)}/.`, `${partial}/`],
        TREE_TIMEOUT_MS,
        signal,
      );
      if (exit.code !== 0) throw this.transferFailure('push', exit, `${local} could not be sent`);
      await this.must('push', 'rm -rf "$2" && mv "$1" "$2"', [partial, remote]);
    } catch (error) {
      await this.remove(partial).catch(() => {});
      throw error;
    }
  }

  async pullTree(remote: string, local: string, options: TransferOptions = {}): Promise<void> {
    if (!(await this.stat(remote))?.directory) {
      throw environmentFailure('pull', `${remote} is no directory on ${this.name}`);
    }
    await this.fetch(remote, local, TREE_TIMEOUT_MS, options, async () => {});
  }

  async stat(remote: string): Promise<FileStat | null> {
    const { stdout } = await this.run(
      'if [ -d "$1" ]; then echo directory; elif [ -e "$1" ]; then stat -L -c %s "$1"; else echo none; fi',
      [remote],
    );
    const answer = stdout.trim();
    if (answer === 'none') return null;
    return answer === 'directory'
      ? { bytes: 0, directory: true }
      : { bytes: Number(answer), directory: false };
  }

  async sha256(remote: string): Promise<string> {
    const { stdout } = await this.must('hash', 'sha256sum < "$1"', [remote]);
    return stdout.slice(0, 64);
  }

  /** Also removes what processes of this machine left behind that ended while the phone was away. */
  async makeWorkDirectory(): Promise<string> {
    const directory = posix.join(this.directory, workName());
    const { stdout } = await this.must('work directory', 'mkdir -p "$1" && chmod 700 "$1" && ls -1 "$2"', [
      directory,
      this.directory,
    ]);
    for (const name of leftBehind(stdout.split('\n'))) await this.remove(posix.join(this.directory, name));
    return directory;
  }

  /** Also removes the place of work directories when it is empty then: nothing is left on the phone. */
  async remove(remote: string): Promise<void> {
    await this.must('remove', 'rm -rf "$1"; status=$?; rmdir "$2" 2>/dev/null; exit $status', [
      remote,
      this.directory,
    ]);
  }

  join(...parts: readonly string[]): string {
    return posix.join(...parts);
  }

  /** Fetches under another name first; again from the start when the connection broke and came back. */
  private async fetch(
    remote: string,
    local: string,
    timeoutMs: number,
    { signal }: TransferOptions,
    check: (partial: string) => Promise<void>,
  ): Promise<void> {
    const partial = `${resolve(local)}.${freshName('partial-')}`;
    await mkdir(dirname(partial), { recursive: true });
    try {
      let exit = await this.transfer(['pull', remote, partial], timeoutMs, signal);
      if (exit.code !== 0 && problemOf(exit.stderr) !== 'disk-full') {
        await rm(partial, { recursive: true, force: true });
        if (await this.client.reconnect(this.serial, signal)) {
          exit = await this.transfer(['pull', remote, partial], timeoutMs, signal);
        }
      }
      if (exit.code !== 0) throw this.transferFailure('pull', exit, `${remote} could not be fetched`);
      await check(partial);
      await rm(local, { recursive: true, force: true });
      await rename(partial, local);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw error;
    }
  }

  private async transfer(args: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<Exit> {
    const exit = await this.client.run(['-s', this.serial, ...args], {
      timeoutMs,
      signal,
    });
    if (exit.timedOut) {
      throw new AdbError('timeout', args[0] ?? '', `the transfer did not end within ${timeoutMs / 1000} s`);
    }
    return exit;
  }

  private transferFailure(stage: string, { stderr, stdout }: Exit, what: string): AdbError {
    const said = adbSaid(stderr) || adbSaid(stdout);
    return new AdbError(problemOf(`${stderr}\n${stdout}`) ?? 'refused', stage, `${what} (adb: ${said})`);
  }

  private run(script: string, args: readonly string[]): Promise<CommandResult> {
    const argv = ['sh', '-c', script, 'sh', ...args];
    return this.shell.exec({ argv, repeatable: true, timeoutMs: HASH_TIMEOUT_MS });
  }

  private async must(stage: string, script: string, args: readonly string[]): Promise<CommandResult> {
    const result = await this.run(script, args);
    if (result.exitCode !== 0) throw failureOf(stage, result, `${args.at(0)} on ${this.serial}`);
    return result;
  }
}
