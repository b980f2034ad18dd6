import { blockRange, maskedInBlock, positionsOf } from '../../../src/decode/canvas/geometry.js';
import type { Canvas } from '../../../src/decode/canvas/types.js';
import { countWork, type DecodeCounters } from '../../../src/decode/method/counters.js';
import type { StepRecord } from '../../../src/decode/method/step-record.js';
import type { StepTiming } from '../../../src/decode/method/timer.js';
import type { Answer, CaseRequest, DecidedCase, Decider } from './decider.js';

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

/** A decided case with what was seen while it was decided. */
export interface ObservedCase extends DecidedCase {
  readonly counters: DecodeCounters;
  readonly denoise: readonly DenoiseFacts[];
  /** Positions still visible when their block was completed, per block. */
  readonly visibleAtBlockEnd: readonly number[];
  /** Positions still visible at the end. */
  readonly remainingVisible: number;
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
  /** Rows of every forward on the critical path, in order. */
  readonly mainRows: readonly number[];
  /** Of every step; null without a clock. */
  readonly timings: readonly StepTiming[] | null;
}

/** Decides a case and watches. */
export async function observe(
  decider: Decider,
  index: number,
  request: Omit<CaseRequest, 'onStart' | 'onStep'>,
): Promise<ObservedCase> {
  const observer = new Observer();
  const decided = await decider.decode(index, {
    ...request,
    onStart: (canvas) => observer.start(canvas),
    onStep: (record, canvas) => observer.step(record, canvas),
  });
  const { promptLength, given, steps, tokens, endIds } = decided;
  const geometry = {
    promptLength,
    genLength: tokens.length,
    blockLength: request.policy.spec.blockLength,
    given,
  };
  const { denoise, visibleAtBlockEnd, remainingVisible } = observer;
  const counters = countWork(geometry, steps, tokens, endIds);
  return { ...decided, counters, denoise, visibleAtBlockEnd, remainingVisible };
}

/** @param timings of the steps; null without a clock */
export function factsOf(
  { counters, denoise, visibleAtBlockEnd, answer, steps }: ObservedCase,
  timings: readonly StepTiming[] | null,
): DecodeFacts {
  return {
    denoise,
    forwards: counters.nfe,
    refreshes: counters.sideRefreshes,
    visibleAtBlockEnd,
    draftsAccepted: counters.draftsAccepted,
    textTokens: counters.textTokens,
    seconds: timings === null ? null : (timings.at(-1)?.endMs ?? 0) / 1000,
    answer,
    mainRows: steps.map(({ plan }) => plan.passes[0].rows.length),
    timings,
  };
}

/** Decides a case without a clock and keeps what the statistics need. */
export async function decodeFacts(
  decider: Decider,
  index: number,
  request: Pick<CaseRequest, 'policy' | 'genLength' | 'signal'>,
): Promise<DecodeFacts> {
  return factsOf(await observe(decider, index, request), null);
}

/** Follows a decode step by step. */
class Observer {
  readonly denoise: DenoiseFacts[] = [];
  readonly visibleAtBlockEnd: number[] = [];
  private blockStep = 0;
  private canvas: Canvas | null = null;

  get remainingVisible(): number {
    return this.canvas === null ? 0 : this.canvas.positions.filter(({ state }) => state === 'V').length;
  }

  start(canvas: Canvas): void {
    this.canvas = canvas;
  }

  step(record: StepRecord, after: Canvas): void {
    const before = this.canvas ?? after;
    this.canvas = after;
    const main = record.plan.passes[0];
    if (main.kind === 'denoise') {
      this.blockStep++;
      this.denoise.push({
        block: before.block,
        blockStep: this.blockStep,
        masksBefore: maskedInBlock(before).length,
        rows: main.rows.length,
        stableRows: main.rows.filter(({ position }) => before.positions[position].state === 'S').length,
        commits: record.transitions
          .filter(({ from }) => from === 'M' || from === 'IV')
          .filter(({ to }) => to === 'V' || to === 'S')
          .map(({ position, confidence }) => ({ offset: position - before.promptLength, confidence })),
      });
    }
    for (let block = before.block; block < after.block; block++) {
      const positions = positionsOf(blockRange(after, block));
      this.visibleAtBlockEnd.push(positions.filter((at) => after.positions[at].state === 'V').length);
      this.blockStep = 0;
    }
  }
}
