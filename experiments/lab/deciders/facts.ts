import { blockRange, maskedInBlock, positionsOf } from '../../../src/decode/canvas/geometry.js';
import type { Canvas } from '../../../src/decode/canvas/types.js';
import { countWork } from '../../../src/decode/method/counters.js';
import type { StepRecord } from '../../../src/decode/method/step-record.js';
import type { Answer, Decider, DecodeRequest } from './decider.js';

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
  /** Refresh passes beside it. */
  readonly refreshes: number;
  /** Positions still visible when their block was completed, per block. */
  readonly visibleAtBlockEnd: readonly number[];
  readonly draftsAccepted: number;
  /** Generated positions before the first end-of-text token. */
  readonly textTokens: number;
  /** Simulated seconds on the clock, prompt processing included; null without one. */
  readonly seconds: number | null;
  readonly answer: Answer | null;
}

/** Decodes a case and keeps what the statistics need. */
export async function decodeFacts(
  workload: Decider,
  index: number,
  request: Omit<DecodeRequest, 'onStart' | 'onStep'>,
): Promise<DecodeFacts> {
  const collector = new Collector();
  const { steps, tokens, promptLength, eosId, answer } = await workload.decode(index, {
    ...request,
    onStart: (canvas) => collector.start(canvas),
    onStep: (record, canvas) => collector.step(record, canvas),
  });
  const { genLength, policy, timer } = request;
  const { blockLength } = policy.spec;
  const counters = countWork({ promptLength, genLength, blockLength }, steps, tokens, eosId);
  return {
    denoise: collector.denoise,
    forwards: counters.nfe,
    refreshes: counters.sideRefreshes,
    visibleAtBlockEnd: collector.visibleAtBlockEnd,
    draftsAccepted: counters.draftsAccepted,
    textTokens: counters.textTokens,
    seconds: timer === undefined ? null : (steps.at(-1)?.timing?.endMs ?? 0) / 1000,
    answer,
  };
}

/** Follows a decode step by step. */
class Collector {
  readonly denoise: DenoiseFacts[] = [];
  readonly visibleAtBlockEnd: number[] = [];
  private blockStep = 0;
  private canvas: Canvas | null = null;

  start(canvas: Canvas): void {
    this.canvas = canvas;
  }

  step(record: StepRecord, after: Canvas): void {
    const before = this.canvas ?? after;
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
