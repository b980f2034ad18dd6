import { main } from '../../cli/run.js';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliSetting {
  readonly env?: Readonly<Record<string, string>>;
  readonly tty?: boolean;
  readonly signal?: AbortSignal;
  /** Called with everything written to standard output so far. */
  readonly onOutput?: (text: string) => void;
}

/** Runs one command line in this process, its output captured. */
export async function cli(argv: readonly string[], setting: CliSetting = {}): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const code = await main(argv, {
    stdout: {
      isTTY: setting.tty ?? false,
      columns: 100,
      write: (text) => {
        stdout += text;
        setting.onOutput?.(stdout);
      },
    },
    stderr: {
      isTTY: setting.tty ?? false,
      columns: 100,
      write: (text) => {
        stderr += text;
      },
    },
    env: setting.env ?? {},
    signal: setting.signal ?? new AbortController().signal,
  });
  return { code, stdout, stderr };
}
