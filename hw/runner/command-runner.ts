/** One command on the target. */
export interface TargetCommand {
  /** Program and arguments. Never interpreted by a shell: a space or a quote is just a character. */
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Directory on the target. */
  readonly cwd?: string;
  /** Default 60 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** What messages call it; its program by default. */
  readonly label?: string;
  /** It changes nothing, or the same thing each time: may run again when the connection broke. Default false. */
  readonly repeatable?: boolean;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FileStat {
  readonly bytes: number;
  readonly directory: boolean;
}

export interface TransferOptions {
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** How a file came to be on the target: sent, sent from where an earlier transfer broke off, or there already. */
export type PushOutcome = 'sent' | 'resumed' | 'present';

/**
 * Runs programs and moves files where a model is to run: this machine, or a phone behind adb. Adapters of tools know
 * nothing else of a device.
 */
export interface CommandRunner {
  /** For messages and records: `this machine`, `adb:SERIAL`. */
  readonly name: string;
  /** Files of this machine are files of the target under the same path: they need not be sent. */
  readonly sharesFiles: boolean;
  /** Runs a command to its end. A non-zero exit code is a result. @throws DeviceError on time-out or a lost device */
  exec(command: TargetCommand): Promise<CommandResult>;
  /**
   * Makes the target hold a file with the content of a local one. Content decides: a file that is there already
   * is not sent, a broken transfer is taken up where it ended, and the target never shows half a file under its name.
   * @throws DeviceError when the device is lost or full; what was sent of the file is then removed or kept for resuming
   */
  push(local: string, remote: string, options?: TransferOptions): Promise<PushOutcome>;
  /** Fetches a file; whole or not at all. @throws DeviceError when it does not exist or the device is lost */
  pull(remote: string, local: string, options?: TransferOptions): Promise<void>;
  /** Makes the target hold a directory with all files below a local one. For many small files; not resumed. */
  pushTree(local: string, remote: string, options?: TransferOptions): Promise<void>;
  /** Fetches a directory with all files below it; whole or not at all. */
  pullTree(remote: string, local: string, options?: TransferOptions): Promise<void>;
  /** Null when there is no such file. */
  stat(remote: string): Promise<FileStat | null>;
  /** SHA-256 of a file on the target, lower-case hex. @throws DeviceError when it does not exist */
  sha256(remote: string): Promise<string>;
  /** Fresh directory on the target, of this run alone. */
  makeWorkDirectory(): Promise<string>;
  /** Removes files and directories; names that do not exist are ignored. */
  remove(remote: string): Promise<void>;
  /** Path on the target. */
  join(...parts: readonly string[]): string;
}

export const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Runs `use` with a work directory on the target that is gone afterwards, however it ends.
 * A failure to clean up is not allowed to hide the failure before it.
 */
export async function withWorkDirectory<T>(
  runner: CommandRunner,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await runner.makeWorkDirectory();
  let result: T;
  try {
    result = await use(directory);
  } catch (error) {
    await runner.remove(directory).catch(() => {});
    throw error;
  }
  await runner.remove(directory);
  return result;
}
