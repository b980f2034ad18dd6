/** The part of a stream that commands use; a test gives its own. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Everything a command may touch of the process it runs in. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Options every command has. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly debug?: boolean;
  /** False after `--no-color`. */
  readonly color?: boolean;
}

/** One run of the program: where output goes and how it looks. */
export class Context {
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** Colour on standard output. */
  readonly color: boolean;

  constructor(
    readonly io: Io,
    options: GlobalOptions,
  ) {
    this.json = options.json ?? false;
    this.signal = io.signal;
    // no-color.org: any non-empty value switches colour off.
    this.color = (options.color ?? true) && !io.env.NO_COLOR && io.stdout.isTTY === true && !this.json;
  }

  /** True when standard output is a terminal that a picture may be redrawn on. */
  get interactive(): boolean {
    return this.io.stdout.isTTY === true && !this.json;
  }

  /** A line of the answer for a person; nothing under `--json`. */
  print(text: string): void {
    if (!this.json) this.io.stdout.write(`${text}\n`);
  }

  /** The answer as data; printed only under `--json`, alone on standard output. */
  data(value: unknown): void {
    if (this.json) this.io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** What happens meanwhile: standard error, so that piped data stays clean. */
  note(text: string): void {
    this.io.stderr.write(`${text}\n`);
  }
}
