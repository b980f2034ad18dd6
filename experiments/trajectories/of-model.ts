import type { StepRecord } from '../../src/decode/method/step-record.js';
import { UsageError } from '../../src/errors.js';
import { textLength } from '../../src/model/text-length.js';
import { ModelDecider } from '../lab/deciders/model.js';
import { variant } from '../lab/decode-statistics.js';
import { openDecider, openPolicy } from '../lab/open.js';
import type { DeciderSetup } from '../lab/setup.js';
import { type Trajectory, texts } from './trajectory.js';

export interface RecordOptions {
  readonly seed: number;
  readonly cases: number;
  readonly genLength: number;
  readonly blockLength: number;
  /** Commit at this confidence; left out: one token per step. */
  readonly tau?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

/** LLaDA's own loop: the whole canvas is scored in every step, whatever was decided already. */
function specOf({ blockLength, tau }: RecordOptions) {
  const commit = tau === undefined ? {} : { 'commit.kind': 'threshold', 'commit.tau': tau };
  return variant('llada', { blockLength, ...commit });
}

/** Keeps every prediction of one decode. */
class Recorder {
  readonly steps: { tokens: number[]; confidences: number[]; masked: number[] }[] = [];
  private masked: number[];

  constructor(
    private readonly promptTokens: number,
    private readonly genLength: number,
  ) {
    this.masked = Array.from({ length: genLength }, (_, at) => at);
  }

  step({ outcomes, transitions }: StepRecord): void {
    const tokens = new Array<number>(this.genLength).fill(-1);
    const confidences = new Array<number>(this.genLength).fill(0);
    for (const { position, token, confidence } of outcomes[0].rows) {
      const at = position - this.promptTokens;
      if (at < 0) continue;
      tokens[at] = token;
      confidences[at] = confidence;
    }
    this.steps.push({ tokens, confidences, masked: this.masked });
    const decided = new Set(transitions.map(({ position }) => position - this.promptTokens));
    this.masked = this.masked.filter((at) => !decided.has(at));
  }
}

/**
 * Decodes held-out problems as LLaDA does and keeps every prediction. What is right is read from the text that a step would have
 * given: what was decided, and the best token wherever nothing was yet.
 * @throws UsageError for a workload that runs no model
 */
export async function recordModel(
  setup: Partial<DeciderSetup>,
  options: RecordOptions,
): Promise<Trajectory[]> {
  const { seed, cases, genLength, signal } = options;
  const decider = await openDecider(setup, seed);
  try {
    if (!(decider instanceof ModelDecider))
      throw new UsageError(`${decider.name} runs no model: its predictions cannot be recorded`);
    const policy = openPolicy(specOf(options));
    const made: Trajectory[] = [];
    for (let index = 0; index < cases; index++) {
      signal?.throwIfAborted();
      let kept: Recorder | undefined;
      const {
        promptLength: promptTokens,
        tokens,
        endIds,
      } = await decider.decode(index, {
        policy,
        genLength,
        signal,
        onStart: (canvas) => {
          kept = new Recorder(canvas.promptLength, genLength);
        },
        onStep: (record) => kept?.step(record),
      });
      if (kept === undefined)
        throw new UsageError(`${decider.name} has no mask token: its steps predict nothing`);
      const trajectory = {
        id: `${decider.name} ${index}`,
        promptTokens,
        textTokens: textLength(tokens, endIds),
        steps: kept.steps,
      };
      const right = texts(trajectory).map((text) => decider.judge(index, text).exact);
      made.push({ ...trajectory, right });
      options.onProgress?.(index + 1);
    }
    return made;
  } finally {
    decider.close();
  }
}
