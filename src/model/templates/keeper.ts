import type { TemplateAnswer, TemplateJob } from './guest.js';

/** What a keeper is told when it starts. */
export interface Kept {
  readonly port: import('node:worker_threads').MessagePort;
  /** One number: 1 when there is an answer. */
  readonly answered: SharedArrayBuffer;
  /** Command line of the child. */
  readonly command: readonly string[];
  readonly limits: { readonly ms: number; readonly heapMb: number };
}

/**
 * The program of the thread between: it keeps the child process, hands it jobs, and says what came back, or that the child is
 * gone. The caller waits for a number in shared memory meanwhile. Handed over as text, so it stands alone.
 */
export function keeper(
  { workerData }: typeof import('node:worker_threads'),
  { spawn }: typeof import('node:child_process'),
): void {
  const { port, answered, command, limits } = workerData as Kept;
  const flag = new Int32Array(answered);
  let child: import('node:child_process').ChildProcess | null = null;
  let job: TemplateJob | null = null;
  let ready = false;
  let out = '';
  let said = '';
  let patience: NodeJS.Timeout | undefined;

  const answer = (what: TemplateAnswer): void => {
    clearTimeout(patience);
    if (job === null) return;
    job = null;
    port.postMessage(what);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  };
  const send = (): void => {
    child?.stdin?.write(`${JSON.stringify(job)}\n`);
    // It ends by itself, unless it is inside of one long operation.
    patience = setTimeout(() => child?.kill('SIGKILL'), 3 * limits.ms);
  };
  const gone = (): void => {
    const [wasReady, why] = [ready, said];
    [child, ready, out, said] = [null, false, '', ''];
    answer(
      wasReady
        ? { fault: 'limit', reason: `takes more than ${limits.heapMb} MB of memory` }
        : { fault: 'broken', reason: why.trim().split('\n').at(-1) ?? '' },
    );
  };
  const start = (): void => {
    const [program, ...args] = command;
    const one = spawn(program, args, {
      stdio: 'pipe',
      // What the caller's Node is told to load is not for this one.
      env: { ...process.env, NODE_OPTIONS: '' },
      windowsHide: true,
    });
    child = one;
    one.stdin.on('error', () => {});
    one.stderr.on('data', (text) => {
      said = (said + text).slice(-2000);
    });
    one.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (!out.endsWith('\n')) return;
      const line = out;
      out = '';
      if (ready) return answer(JSON.parse(line));
      ready = true;
      send();
    });
    one.on('error', (error) => {
      said = error.message;
      if (one.pid === undefined) gone();
    });
    one.on('close', gone);
  };
  port.on('message', (asked: TemplateJob) => {
    job = asked;
    if (child === null) start();
    else send();
  });
}
