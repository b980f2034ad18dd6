import { createRequire } from 'node:module';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { EnvironmentError } from '../../errors.js';
import { guest, TEMPLATE_LIMITS, type TemplateAnswer } from './guest.js';
import { type Kept, keeper } from './keeper.js';
import { asPython } from './python.js';

/** How long a process may take to start on a machine that does much else, beside the time of the template. */
const LONGEST_START_MS = 30_000;

interface Sandbox {
  readonly port: MessagePort;
  readonly answered: Int32Array;
}

let sandbox: Sandbox | null = null;

/**
 * Renders a Jinja template in a process of its own, which has a second, 64 MB of heap and 4 million characters: a template comes
 * with a file from anywhere, and is a program. The process stays for the next one and ends with this one.
 * @throws EnvironmentError when no process can be started
 */
export function renderInSandbox(
  source: string,
  values: Readonly<Record<string, unknown>>,
): Exclude<TemplateAnswer, { fault: 'broken' }> {
  sandbox ??= open();
  const { port, answered } = sandbox;
  Atomics.store(answered, 0, 0);
  port.postMessage({ source, values });
  const woken = Atomics.wait(answered, 0, 0, LONGEST_START_MS + 4 * TEMPLATE_LIMITS.ms);
  const answer = woken === 'timed-out' ? undefined : receiveMessageOnPort(port)?.message;
  if (answer === undefined || answer.fault === 'broken') {
    sandbox = null;
    throw new EnvironmentError(
      `the process for chat templates does not start: ${answer?.reason ?? `no answer in ${LONGEST_START_MS / 1000} s`}: take --template chat, plain or none`,
    );
  }
  return answer;
}

function open(): Sandbox {
  const { port1: port, port2 } = new MessageChannel();
  const answered = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const library = JSON.stringify(createRequire(import.meta.url).resolve('@huggingface/jinja'));
  const program = `const jinja = require(${library});
    (${asPython})(jinja);
    (${guest})(jinja, require('node:vm'), ${JSON.stringify(TEMPLATE_LIMITS)});`;
  const { heapMb } = TEMPLATE_LIMITS;
  const heap = [`--max-old-space-size=${heapMb}`, '--max-semi-space-size=8'];
  const command = [process.execPath, ...heap, '-e', program];
  const workerData = { port: port2, answered, command, limits: TEMPLATE_LIMITS } satisfies Kept;
  const worker = new Worker(`(${keeper})(require('node:worker_threads'), require('node:child_process'))`, {
    eval: true,
    workerData,
    transferList: [port2],
    execArgv: [],
  });
  // Nobody waits for them: they end with the program.
  worker.unref();
  port.unref();
  return { port, answered: new Int32Array(answered) };
}
