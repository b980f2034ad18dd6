import { composePolicy } from '../../src/decode/compose.js';
import { blockRange, maskedInBlock, positionsOf } from '../../src/decode/geometry.js';
import { decode } from '../../src/decode/session.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import type { StepRecord } from '../../src/decode/step-record.js';
import type { Canvas } from '../../src/decode/types.js';
import { generateProblem } from '../../src/train/problems.js';
import type { LadderContext } from '../ablation/context.js';
import { latencyTable } from '../latency-table.js';
import type { Bench } from './bench.js';

/** One denoising pass, as far as the statistics of decoding need it. */
export interface DenoiseFacts {
  /** From 0, in order. */
  readonly block: number;
  /** Passes that worked on this block, this one included. */
  readonly blockStep: number;
  /** Positions of the block without a token before the pass. */
  readonly masksBefore: number;
  readonly rows: number;
  /** Rows whose token was final before the pass: nothing can be decided there. */
  readonly stableRows: number;
  /** Positions that received their first token: offset in the generated text, and confidence. */
  readonly commits: readonly { readonly offset: number; readonly confidence: number }[];
}

/** What one decode did. */
export interface DecodeFacts {
  readonly denoise: readonly DenoiseFacts[];
  /** Forwards on the critical path: prefill, denoising, sealing. */
  readonly forwards: number;
  /** Positions still visible when their block was completed, per block. */
  readonly visibleAtBlockEnd: readonly number[];
  readonly draftsAccepted: number;
  /** Generated positions before the first end-of-text token. */
  readonly textTokens: number;
  /** Simulated seconds on llada.cpp with SOMR, prompt processing included; null when not asked for. */
  readonly seconds: number | null;
}

/** Decodes of the trained model on its own held-out problems. Equal requests are decoded once. */
export class Decodes {
  private readonly done = new Map<string, Promise<DecodeFacts[]>>();

  constructor(
    private readonly bench: Bench,
    private readonly context: LadderContext,
  ) {}

  /**
   * Every prompt under one policy.
   * @param clock `none`: a refresh lands with the step that launched it; `npu`: timed on llada.cpp with SOMR
   */
  run(spec: PolicySpecInput, clock: 'none' | 'npu' = 'none'): Promise<DecodeFacts[]> {
    const { name: _, description: __, source: ___, ...identity } = { description: '', source: '', ...spec };
    const key = `${clock} ${JSON.stringify(identity)}`;
    let found = this.done.get(key);
    if (found === undefined) {
      found = this.decodeAll(spec, clock);
      this.done.set(key, found);
    }
    return found;
  }

  private async decodeAll(spec: PolicySpecInput, clock: 'none' | 'npu'): Promise<DecodeFacts[]> {
    const policy = composePolicy(spec, {
      latencyTable: latencyTable(this.bench.machine('llada.cpp', 'somr')),
    });
    const facts: DecodeFacts[] = [];
    for (let index = 0; index < this.bench.options.prompts; index++) {
      const problem = generateProblem(this.bench.options.seed, index, 'long', 'heldout');
      const promptIds = this.context.promptIds(problem);
      const { genLength } = this.bench.options;
      const collector = new Collector(policy.start(promptIds, genLength, this.context.maskId));
      const { signal } = this.bench.hooks;
      const result = await decode({
        ...{ policy, engine: this.context.engine, promptIds, genLength },
        ...(clock === 'npu' ? { timer: this.bench.machine('llada.cpp', 'somr') } : {}),
        ...(signal === undefined ? {} : { signal }),
        onStep: (record, canvas) => collector.step(record, canvas),
      });
      facts.push({
        denoise: collector.denoise,
        forwards: result.counters.nfe,
        visibleAtBlockEnd: collector.visibleAtBlockEnd,
        draftsAccepted: result.counters.draftsAccepted,
        textTokens: result.counters.textTokens,
        seconds: clock === 'npu' ? (result.steps.at(-1)?.timing?.endMs ?? 0) / 1000 : null,
      });
    }
    return facts;
  }
}

/** Follows a decode step by step. */
class Collector {
  readonly denoise: DenoiseFacts[] = [];
  readonly visibleAtBlockEnd: number[] = [];
  private blockStep = 0;

  constructor(private canvas: Canvas) {}

  step(record: StepRecord, after: Canvas): void {
    const before = this.canvas;
    this.canvas = after;
    const main = record.plan.passes[0];
    if (main?.kind === 'denoise') {
      this.blockStep++;
      this.denoise.push({
        block: before.block,
        blockStep: this.blockStep,
        masksBefore: maskedInBlock(before).length,
        rows: main.rows.length,
        stableRows: main.rows.filter(({ position }) => before.positions[position]?.state === 'S').length,
        commits: record.transitions
          .filter(({ from }) => from === 'M' || from === 'IV')
          .filter(({ to }) => to === 'V' || to === 'S')
          .map(({ position, confidence }) => ({ offset: position - before.promptLength, confidence })),
      });
    }
    for (let block = before.block; block < after.block; block++) {
      const positions = positionsOf(blockRange(after, block));
      this.visibleAtBlockEnd.push(positions.filter((at) => after.positions[at]?.state === 'V').length);
      this.blockStep = 0;
    }
  }
}
