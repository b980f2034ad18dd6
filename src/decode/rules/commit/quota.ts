import { z } from 'zod';
import type { RowOutcome } from '../../../pass/pass.js';
import { blockRange, maskedInBlock } from '../../canvas/geometry.js';
import type { Canvas } from '../../canvas/types.js';
import { defineRule, plain } from '../definition.js';
import { seed, uniformAt } from '../random.js';
import { byConfidence, committed, FINAL_TOKENS } from './by-confidence.js';

/**
 * Top-k by confidence on a fixed schedule. The place in the schedule is read off the tokens already committed, so
 * extra commits (accepted drafts) shorten the schedule and never stretch it.
 */
export const quota = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('quota'),
    stepsPerBlock: z
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe('denoising steps per block; null is the block length, one token per step (§5.1)'),
    transfer: z
      .enum(['top', 'each'])
      .default('top')
      .describe('top: the most confident masks; each: every mask by its own coin (ORIGIN of llama.cpp)'),
    seed,
  }),
)({
  facts: () => ({ ...FINAL_TOKENS, bar: null }),
  rule: ({ stepsPerBlock, transfer, seed: coins }) => ({
    decide(canvas, scores) {
      const { start, end } = blockRange(canvas, canvas.block);
      const quotas = stepQuotas(end - start, stepsPerBlock ?? end - start);
      const chosen =
        transfer === 'each'
          ? byCoin(canvas, scores, quotas, coins)
          : [...scores].sort(byConfidence).slice(0, due(canvas, quotas));
      return chosen.map(committed);
    },
    stateFor: () => 'S',
  }),
  contradicts({ stepsPerBlock, transfer }, { blockLength, window }) {
    const found: string[] = [];
    if (transfer === 'each' && window.relies !== 'whole canvas')
      found.push('commit.transfer each leaves the schedule to chance, so window must be canvas');
    if (stepsPerBlock !== null && stepsPerBlock > blockLength)
      found.push(
        `commit.stepsPerBlock (${stepsPerBlock}) exceeds blockLength (${blockLength}); every step must commit`,
      );
    return found;
  },
  givesUp: ({ transfer }) =>
    transfer === 'each'
      ? [{ part: 'D4-every-step', because: 'every mask has its own coin, and all may fall short' }]
      : [],
  technique: plain,
  draws: (blockLength) => ({
    stepsPerBlock: [null, 1, Math.ceil(blockLength / 2), blockLength],
    transfer: ['top', 'top', 'each'],
    seed: [0, 1, 2],
  }),
});

/**
 * LLaDA's schedule for a block: `length` tokens over `steps` steps, as even as possible, larger quotas first.
 * Source: LLaDA `generate`, get_num_transfer_tokens.
 */
export function stepQuotas(length: number, steps: number): number[] {
  const base = Math.floor(length / steps);
  return Array.from({ length: steps }, (_, step) => base + (step < length % steps ? 1 : 0));
}

/** How many tokens the schedule wants next; not every mask of the block need be in the window. */
function due(canvas: Canvas, quotas: readonly number[]): number {
  const { start, end } = blockRange(canvas, canvas.block);
  const done = end - start - maskedInBlock(canvas).length;
  let sum = 0;
  for (const size of quotas) {
    sum += size;
    if (sum > done) return size;
  }
  return 1;
}

/**
 * llama.cpp's ORIGIN on the block schedule: of m masks with a quota of n, each is committed with probability n / m.
 * Its steps may commit nothing; what is left when the block's steps are spent is committed in the last one.
 */
function byCoin(
  canvas: Canvas,
  scores: readonly RowOutcome[],
  quotas: readonly number[],
  coins: number,
): RowOutcome[] {
  const k = canvas.blockSteps;
  const share = k >= quotas.length - 1 ? 1 : quotas[k] / maskedInBlock(canvas).length;
  return scores.filter(({ position }) => uniformAt(coins, canvas.block, k, position) < share);
}
