import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../../src/errors.js';
import { project } from '../../src/util/project-root.js';
import { DeviceError, oneLine } from '../device-error.js';
import type { Failure } from '../record/device-record.js';
import { type Reply, type Request, replySchema } from './protocol.js';

export interface HostOptions {
  /** ONNX Runtime's library; default: the one that onnxruntime-node carries. */
  readonly library?: string;
  /** Plugin that provides the backend; null: ONNX Runtime's CPU provider alone. */
  readonly plugin: { readonly path: string; readonly name: string } | null;
  /** Environment of the host process, e.g. `ADSP_LIBRARY_PATH`: some of it is read only once per process. */
  readonly env?: Readonly<Record<string, string>>;
  /** For loading the runtime and the plugin. Default 60 s. */
  readonly startTimeoutMs?: number;
  /** What to do about something that was refused, by the words of it. */
  readonly advise?: Advise;
}

export type Advise = (reason: string) => string | undefined;

export interface HostInfo {
  readonly library: string;
  readonly version: string;
  readonly providers: readonly { readonly name: string; readonly vendor: string }[];
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const LAST_WORDS_MS = 50;
/** Of what the process says, the end is kept: the reason is there. */
const LOG_CHARS = 64 * 1024;

type ReplyOf<K extends Reply['kind']> = Extract<Reply, { kind: K }>;

/**
 * A process that runs ONNX Runtime with a plugin. What happens there stays there: a crash, a hang or a refusal ends as a
 * `DeviceError` with a reason here, never with the end of this process. One configuration per host.
 */
export class OrtHost {
  private log = '';
  private waiting: ((outcome: Reply | DeviceError) => void) | undefined;
  private ended: DeviceError | undefined;
  private readonly closed: Promise<unknown>;
  private queue: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly child: ChildProcess,
    private readonly advise: Advise = () => undefined,
  ) {
    this.closed = new Promise((resolve) => child.once('exit', resolve));
    const keep = (text: Buffer) => {
      this.log = (this.log + text.toString('utf8')).slice(-LOG_CHARS);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('message', (message) => this.settle(replySchema.parse(message)));
    child.on('error', (error) => this.end(`the host process failed: ${error.message}`));
    // Not `close`, which never comes once the channel was disconnected; the last words get a moment to arrive.
    child.on('exit', (code, signal) => {
      const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
      setTimeout(() => this.end(this.withLastError(`the host process ${how}`)), LAST_WORDS_MS);
    });
  }

  /** @throws DeviceError when the runtime or the plugin cannot be loaded */
  static async start(options: HostOptions): Promise<{ readonly host: OrtHost; readonly info: HostInfo }> {
    const library = options.library ?? bundledLibrary();
    const child = fork(childProgram(), [], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    const host = new OrtHost(child, options.advise);
    try {
      const request = { kind: 'start', library, plugin: options.plugin } as const;
      const { version, providers } = await host.ask(
        request,
        'started',
        'load',
        options.startTimeoutMs ?? START_TIMEOUT_MS,
      );
      return { host, info: { library, version, providers } };
    } catch (error) {
      await host.stop();
      throw error;
    }
  }

  /**
   * Opens a session. A provider that was asked for has to take every node: where fallback has to be allowed, this is
   * what keeps a session that runs on the CPU from passing for one that does not.
   * @throws DeviceError when it is refused, crashes the host, takes too long, or a node went to another provider
   */
  async open(
    request: Omit<Extract<Request, { kind: 'open' }>, 'kind'>,
    timeoutMs: number,
  ): Promise<ReplyOf<'opened'>> {
    const stage = 'create session';
    const opened = await this.ask({ kind: 'open', ...request }, 'opened', stage, timeoutMs);
    const wanted = request.provider?.name;
    const foreign = opened.assignments.filter(({ provider }) => provider !== wanted);
    if (wanted === undefined || foreign.length === 0) return opened;
    const went = foreign.map(({ provider, nodes }) => `${nodes} nodes went to ${provider}`).join(', ');
    const declined = this.failure('refused', stage, this.withLastError(`${wanted} declined: ${went}`));
    await this.close(request.session);
    throw declined;
  }

  /** Runs a session once on what its region holds. */
  run(session: string, timeoutMs: number): Promise<ReplyOf<'ran'>> {
    return this.ask({ kind: 'run', session }, 'ran', 'run', timeoutMs);
  }

  async close(session: string): Promise<void> {
    await this.ask({ kind: 'close', session }, 'done', 'close', STOP_TIMEOUT_MS);
  }

  /**
   * Ends the process, politely when it still answers: only then does a backend write its profile out. Returns when the
   * process is gone. Never throws.
   */
  async stop(): Promise<void> {
    if (this.ended === undefined)
      await this.ask({ kind: 'stop' }, 'done', 'stop', STOP_TIMEOUT_MS).catch(() => {});
    if (this.child.connected) this.child.disconnect();
    // Nothing to wait for where no process ever came to be.
    if (this.child.pid === undefined) return;
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.closed;
    clearTimeout(timer);
  }

  /** One request at a time: the host answers in order. */
  private ask<K extends Reply['kind']>(
    request: Request,
    wanted: K,
    stage: string,
    timeoutMs: number,
  ): Promise<ReplyOf<K>> {
    const answer = this.queue.then(() => this.exchange(request, stage, timeoutMs));
    this.queue = answer.catch(() => {});
    return answer.then((reply) => {
      if (reply.kind === 'refused') {
        throw this.failure('refused', stage, this.withLastError(withoutPreamble(oneLine(reply.message))));
      }
      if (reply.kind !== wanted) throw new Error(`host answered ${reply.kind} to ${request.kind}`);
      return reply as ReplyOf<K>;
    });
  }

  private exchange(request: Request, stage: string, timeoutMs: number): Promise<Reply> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    this.log = '';
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const reason = `no answer within ${timeoutMs / 1000} s; the host process was killed`;
        this.ended = this.failure('timeout', stage, reason);
        this.child.kill('SIGKILL');
        this.settle(this.ended);
      }, timeoutMs);
      this.waiting = (outcome) => {
        clearTimeout(timer);
        if (!(outcome instanceof DeviceError)) resolve(outcome);
        else reject(this.failure(outcome.failure.kind, stage, outcome.failure.reason));
      };
      this.child.send(request);
    });
  }

  private failure(kind: Failure['kind'], stage: string, reason: string): DeviceError {
    return new DeviceError({ kind, stage, reason }, this.advise(reason));
  }

  private settle(outcome: Reply | DeviceError): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(outcome);
  }

  private end(reason: string): void {
    this.ended ??= this.failure('crashed', 'host', reason);
    this.settle(this.ended);
  }

  /** What happened, with the last error that was logged: providers say there, and only there, why they declined. */
  private withLastError(what: string): string {
    const errors = oneLines(this.log).filter((line) =>
      /\[E:onnxruntime|^terminate called|what\(\):/.test(line),
    );
    const last = errors.at(-1)?.replace(/^.*?\[E:onnxruntime[^\]]*\]\s*/, '');
    return last === undefined || last.includes(what) || what.includes(last) ? what : `${what} (${last})`;
  }
}

/** What a plugin said, without the place in the runtime's source through which it came. */
function withoutPreamble(message: string): string {
  return message.replace(/^.*\[ONNXRuntimeError\] : \d+ : \w+ : (?=.)/, '');
}

function oneLines(log: string): string[] {
  return log.split('\n').map(oneLine);
}

/** The compiled host program: beside this file, or in dist/ when this runs from sources. */
function childProgram(): string {
  const beside = join(dirname(fileURLToPath(import.meta.url)), 'child.js');
  const built = join(project().root, 'dist', 'hw', 'ort', 'child.js');
  const found = [beside, built].find(existsSync);
  if (found === undefined) throw new EnvironmentError(`${built} is missing: run "npm run build" first`);
  return found;
}

const LIBRARY_NAMES: Readonly<Record<string, string>> = {
  win32: 'onnxruntime.dll',
  darwin: 'libonnxruntime.1.dylib',
  linux: 'libonnxruntime.so.1',
};

/**
 * ONNX Runtime's library inside onnxruntime-node.
 * @throws EnvironmentError when the package is not installed or has none for this machine
 */
export function bundledLibrary(): string {
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  } catch {
    throw new EnvironmentError(
      'the optional package onnxruntime-node is missing: npm install onnxruntime-node',
    );
  }
  const folder = join(dirname(manifest), 'bin', 'napi-v6', platform(), arch());
  const library = join(folder, LIBRARY_NAMES[platform()] ?? '');
  if (existsSync(library)) return library;
  throw new EnvironmentError(`onnxruntime-node has no library for ${platform()} on ${arch()} (${folder})`);
}
