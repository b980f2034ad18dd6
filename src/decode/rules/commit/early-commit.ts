import { z } from 'zod';
import { blockCount, blockOf } from '../../canvas/geometry.js';
import type { Canvas } from '../../canvas/types.js';
import { defineRule } from '../definition.js';
import { byConfidence, committed, FINAL_TOKENS, PARALLEL_COMMIT } from './by-confidence.js';
import { stepQuotas } from './quota.js';

const gap = (value: number, share: string) =>
  z
    .number()
    .default(value)
    .describe(`logits between the best two tokens, on average, ${share}; default of Prophet`);

/**
 * Prophet (arXiv:2508.19982; its `generate_earlyexit.py`): LLaDA's schedule, until the gap between the best two logits, averaged over the
 * positions where the answer is expected, reaches a threshold that falls in three parts of the run; then every mask gets its token.
 * Where the answer is has to be said: the published code is told, too.
 */
export const earlyCommit = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('early-commit'),
    stepsPerBlock: z
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe('denoising steps per block; null is the block length, one token per step, as Prophet is run'),
    answer: z
      .int()
      .min(0)
      .default(100)
      .describe(
        'generated positions before the answer; 100: of 128, in the example of Prophet. Behind the end of the text: no early commit',
      ),
    length: z.int().min(1).default(5).describe('positions of the answer; answer_length of Prophet'),
    early: gap(7.5, 'in the first 33 % of the steps'),
    mid: gap(5, 'up to 67 % of them'),
    late: gap(2.5, 'in the rest'),
  }),
)({
  facts: () => ({ ...FINAL_TOKENS, bar: null, ahead: true, gap: true }),
  rule: ({ stepsPerBlock, answer, length, early, mid, late }) => ({
    ahead: true,
    decide(canvas, scores, rows) {
      const steps = stepsPerBlock ?? canvas.blockLength;
      const first = canvas.promptLength + answer;
      const gaps = rows.flatMap(({ position, gap: own }) =>
        position >= first && position < first + length && own !== undefined ? [own] : [],
      );
      const share = (canvas.block * steps + canvas.blockSteps + 1) / (blockCount(canvas) * steps);
      const needed = share < 0.33 ? early : share < 0.67 ? mid : late;
      if (gaps.length > 0 && gaps.reduce((a, b) => a + b, 0) / gaps.length >= needed)
        return scores.map(committed);
      const own = scores.filter(({ position }) => blockOf(canvas, position) === canvas.block);
      const quota = stepQuotas(blockSize(canvas), steps)[canvas.blockSteps] ?? own.length;
      return [...own].sort(byConfidence).slice(0, quota).map(committed);
    },
    stateFor: () => 'S',
  }),
  contradicts({ stepsPerBlock }, { blockLength, blockOrigin, window, cache, speculate, revoke }) {
    const needs: readonly (readonly [boolean, string])[] = [
      [
        window.everyPosition && !cache.stores,
        'window canvas and cache none: the answer has a row in every step',
      ],
      [blockOrigin === 'prompt', 'blockOrigin prompt: its schedule begins with the text'],
      [!speculate.futureRows && !speculate.widens, 'speculate none'],
      [!revoke.shadows, 'revoke none'],
      [
        stepsPerBlock === null || stepsPerBlock <= blockLength,
        `commit.stepsPerBlock at most blockLength (${blockLength})`,
      ],
    ];
    return needs.flatMap(([met, need]) => (met ? [] : [`commit early-commit: ${need}`]));
  },
  givesUp: () => [{ part: 'B1-one-block', because: 'the masks of all blocks may get their tokens at once' }],
  technique: () => PARALLEL_COMMIT,
  draws: (blockLength) => ({
    stepsPerBlock: [null, 1, blockLength],
    answer: [0, 2, 5, 100],
    length: [1, 5],
    early: [0, 2, 7.5],
    mid: [0, 2, 5],
    late: [0, 1, 2.5],
  }),
});

/** Positions of the open block. */
function blockSize(canvas: Canvas): number {
  return canvas.positions.filter((_, position) => blockOf(canvas, position) === canvas.block).length;
}
