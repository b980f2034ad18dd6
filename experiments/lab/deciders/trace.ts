import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { PolicySpec } from '../../../src/decode/spec.js';
import { replayTrace, type Trace } from '../../../src/decode/trace/trace.js';
import { UsageError } from '../../../src/errors.js';
import { isDirectory, readDirectory } from '../../../src/util/read-file.js';
import { canvasesOf } from './canvases.js';
import type { CaseRequest, DecidedCase, Decider } from './decider.js';

/** What makes two specs the same method: names and comments do not. */
function method({ name: _, description: __, source: ___, ...rest }: PolicySpec): unknown {
  return rest;
}

const promptOf = ({ header }: Trace): string => header.promptIds.join(' ');

/** Recorded decodes: they serve the policies they were recorded under, timed anew on any machine. */
export class TraceDecider implements Decider {
  readonly kind = 'trace';
  readonly engineName = null;
  /** One case per prompt, in the order of the files. */
  private readonly prompts: readonly string[];

  constructor(
    readonly name: string,
    private readonly traces: readonly Trace[],
  ) {
    this.prompts = [...new Set(traces.map(promptOf))];
  }

  get defaultCases(): number {
    return this.prompts.length;
  }

  decisions(cases: number): string {
    const models = [...new Set(this.traces.map(({ header }) => header.model.name))].join(', ');
    return `recorded: ${this.traces.length} traces of ${models}, ${cases} ${cases === 1 ? 'prompt' : 'prompts'}`;
  }

  decode(index: number, request: CaseRequest): Promise<DecidedCase> {
    const { policy, timer, genLength, onStart, onStep } = request;
    const wanted = method(policy.spec);
    const trace = this.traces.find(
      (each) =>
        promptOf(each) === this.prompts[index] && isDeepStrictEqual(method(each.header.policy), wanted),
    );
    if (trace === undefined) {
      const recorded = [...new Set(this.traces.map(({ header }) => header.policy.name))].join(', ');
      throw new UsageError(
        `${this.name}: no trace of case ${index + 1} under policy ${policy.name} (recorded: ${recorded})`,
      );
    }
    const { header, tokens } = trace;
    if (header.genLength !== genLength)
      throw new UsageError(`${this.name}: recorded with --gen-length ${header.genLength}, not ${genLength}`);
    const timings = timer === undefined ? null : replayTrace(trace, timer).timings;
    const start = policy.start(header.promptIds, genLength, header.maskId, {
      endIds: [header.eosId].flat(),
      given: header.given,
    });
    onStart?.(start);
    const canvases = canvasesOf(policy, start, trace.steps);
    const steps = trace.steps.map((step, at) => {
      const record = { ...step, timing: timings?.[at] ?? step.timing };
      onStep?.(record, canvases[at]);
      return record;
    });
    return Promise.resolve({
      promptLength: header.promptIds.length,
      given: header.given?.length,
      steps,
      tokens,
      endIds: [header.eosId].flat(),
      answer: null,
    });
  }

  close(): void {}
}

/**
 * @param path a trace, or a directory of them
 * @throws UsageError when there is none
 */
export function traceFiles(path: string): string[] {
  const files = filesOf(path);
  if (files.length === 0) throw new UsageError(`no trace (*.jsonl) in ${path}`);
  return files;
}

function filesOf(path: string): string[] {
  if (!isDirectory(path)) return [path];
  return readDirectory(path)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => join(path, name));
}
