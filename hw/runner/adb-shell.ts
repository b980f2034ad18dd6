import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type AdbClient, adbSaid } from './adb-client.js';
import { AdbError, problemOf } from './adb-error.js';
import { type CommandResult, DEFAULT_TIMEOUT_MS, type TargetCommand } from './command-runner.js';
import { shellScript } from './shell-quote.js';
import type { Exit } from './spawn-collect.js';

/** What one adb request can hold, less what the request itself needs. */
const MAX_SCRIPT_BYTES = 60_000;
const KILL_TIMEOUT_MS = 10_000;
/** Where the last line of a frame is looked for: a program's own children may still write after it. */
const TAIL_CHARS = 4096;
/** How often a command that may run again is tried. */
const ATTEMPTS = 3;

/** Commands on a phone through shell protocol 2: exit code, both streams apart, arguments as they are. */
export class AdbShell {
  /** Commands whose connection broke: they may still run on the phone. */
  private readonly lost = new Set<Frame>();

  constructor(
    private readonly client: AdbClient,
    readonly serial: string,
  ) {}

  /**
   * Runs a command. One that is `repeatable` runs again when the connection broke and came back.
   * @param stdin what the command reads; such a command never runs again
   * @throws AdbError `disconnected`, `killed`, `timeout`, or DeviceError when the program does not exist on the phone
   */
  async exec(command: TargetCommand, stdin?: Readable): Promise<CommandResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(command, stdin);
      } catch (error) {
        const lost = error instanceof AdbError && ['disconnected', 'offline'].includes(error.problem);
        const again = lost && command.repeatable === true;
        if (!again || stdin !== undefined || attempt === ATTEMPTS) throw error;
        if (!(await this.client.reconnect(this.serial, command.signal))) throw error;
      }
    }
  }

  private async once(command: TargetCommand, stdin: Readable | undefined): Promise<CommandResult> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, argv } = command;
    const label = command.label ?? argv[0] ?? '';
    const mark = `dllm-npu-${randomBytes(9).toString('hex')}`;
    const script = shellScript(command, mark);
    if (Buffer.byteLength(script) > MAX_SCRIPT_BYTES) {
      throw new AdbError('refused', 'run', `the command line of ${label} is longer than adb can carry`);
    }
    for (const frame of this.lost) if (await this.kill(frame)) this.lost.delete(frame);
    const frame = new Frame(mark);
    const onStderr = (chunk: Buffer) => frame.add(chunk);
    const input = stdin === undefined ? ['-n'] : [];
    let exit: Exit;
    try {
      exit = await this.client.run(['-s', this.serial, 'shell', '-T', ...input, script], {
        timeoutMs,
        onStderr,
        signal,
        stdin,
      });
    } catch (error) {
      await this.kill(frame);
      throw error;
    }
    if (exit.timedOut) {
      await this.kill(frame);
      throw new AdbError(
        'timeout',
        'run',
        `${label} did not end within ${timeoutMs / 1000} s and was killed`,
      );
    }
    const { end } = frame;
    if (end === 'missing') {
      throw new AdbError(
        'refused',
        'run',
        `${argv[0]} is no program on ${this.serial}`,
        'Check the path of the tool',
      );
    }
    if (end === 'cwd')
      throw new AdbError('refused', 'run', `${command.cwd} is no directory on ${this.serial}`);
    if (end === null) {
      this.lost.add(frame);
      throw await this.broken(label, exit, frame);
    }
    return { exitCode: end, stdout: exit.stdout, stderr: frame.strip(exit.stderr) };
  }

  /** Why a command has no end: the phone is gone, or something ended its shell. */
  private async broken(program: string, { code, stderr }: Exit, frame: Frame): Promise<AdbError> {
    const started = frame.pid !== null;
    // A broken connection looks like success, or like a failure of adb itself; a dead shell is reported as such.
    if (started && code !== null && code > 1 && (await this.client.reachable(this.serial))) {
      return new AdbError(
        'killed',
        'run',
        `the shell of ${program} on ${this.serial} ended with code ${code}`,
      );
    }
    const said = adbSaid(frame.strip(stderr));
    const where = started ? `while ${program} ran` : `before ${program} was heard of`;
    const problem = started ? null : problemOf(stderr);
    const reason = said === '' ? '' : ` (adb: ${said})`;
    return new AdbError(problem ?? 'disconnected', 'run', `${this.serial} went away ${where}${reason}`);
  }

  /** Ends what a command that is no longer waited for still does. False when the phone is gone: nothing can be done. */
  private async kill({ pid, mark }: Frame): Promise<boolean> {
    // Its own script says which shell it was, when the shell could not say so any more. The brackets keep this one out.
    const pids = pid ?? `$(pgrep -f '[${mark[0]}]${mark.slice(1)}')`;
    const script = `for p in ${pids}; do kill -9 -$p 2>/dev/null || kill -9 $p 2>/dev/null; done; echo done`;
    const args = ['-s', this.serial, 'shell', '-T', '-n', script];
    try {
      return (await this.client.run(args, { timeoutMs: KILL_TIMEOUT_MS })).stdout.includes('done');
    } catch {
      return false;
    }
  }
}

/** The lines that `shellScript` puts around the standard error of a command, read while they arrive. */
class Frame {
  private head = '';
  private tail = '';

  constructor(readonly mark: string) {}

  add(chunk: Buffer): void {
    const text = chunk.toString('latin1');
    if (this.head.length < TAIL_CHARS) this.head += text.slice(0, TAIL_CHARS);
    this.tail = (this.tail + text).slice(-TAIL_CHARS);
  }

  /** Process group of the command on the phone; null before it started. */
  get pid(): number | null {
    const match = new RegExp(`${this.mark} pid (\\d+)\\n`).exec(this.head);
    return match === null ? null : Number(match[1]);
  }

  /** Exit code, or why it did not start; null when there is no last line. */
  get end(): number | 'cwd' | 'missing' | null {
    const match = new RegExp(`${this.mark} (?:exit (\\d+)|(cwd)|(missing))\\n`).exec(this.tail);
    if (match === null) return null;
    return match[1] === undefined ? ((match[2] ?? match[3]) as 'cwd' | 'missing') : Number(match[1]);
  }

  /** Standard error of the command itself. */
  strip(stderr: string): string {
    return stderr.replaceAll(new RegExp(`${this.mark} (?:pid \\d+|exit \\d+|cwd|missing)\\n`, 'g'), '');
  }
}
