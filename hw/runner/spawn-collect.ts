import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** What the program reads; nothing by default. */
  readonly stdin?: Readable;
  /** Called with everything the program says on standard error, as it says it. */
  readonly onStderr?: (chunk: Buffer) => void;
}

export interface Exit {
  /** Null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** What one stream may hold; a tool gone wild must not fill the memory. */
const MAX_BYTES = 64 * 1024 * 1024;

/** How long the output of an ended program is waited for. */
const DRAIN_MS = 500;

/**
 * Runs a program without a shell and collects what it says. A program that outlives the time limit is killed.
 * @throws the spawn error (ENOENT when the program does not exist), or the signal's reason when aborted
 */
export function spawnCollect(argv: readonly string[], options: SpawnOptions): Promise<Exit> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error('nothing to run');
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: 'pipe',
    });
    feed(child, options.stdin);
    if (options.onStderr !== undefined) child.stderr.on('data', options.onStderr);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutMs);
    const abort = () => child.kill('SIGKILL');
    options.signal?.addEventListener('abort', abort);
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const finish = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
    };
    child.on('error', (error) => {
      finish();
      reject(error);
    });
    // A server that the program left behind (adb's) may hold the pipes for ever: they are not waited for long.
    child.on('exit', () => {
      const drain = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, DRAIN_MS);
      child.once('close', () => clearTimeout(drain));
    });
    child.on('close', (code, signal) => {
      finish();
      if (options.signal?.aborted) reject(options.signal.reason as Error);
      else resolve({ code, signal, stdout: stdout(), stderr: stderr(), timedOut });
    });
  });
}

/** A program that ends before it has read everything is no error here: its exit code tells. */
function feed(child: ChildProcessWithoutNullStreams, stdin: Readable | undefined): void {
  child.stdin.on('error', () => stdin?.destroy());
  if (stdin === undefined) {
    child.stdin.end();
    return;
  }
  child.on('close', () => stdin.destroy());
  stdin.on('error', () => child.kill('SIGKILL'));
  stdin.pipe(child.stdin);
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes < MAX_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
