import { z } from 'zod';
import type { RowOutcome } from '../../../pass/pass.js';
import { blockRange, maskedInBlock } from '../../canvas/geometry.js';
import { defineRule, plain } from '../definition.js';
import { seed, uniformAt } from '../random.js';
import { committed, FINAL_TOKENS } from './by-confidence.js';

/**
 * Dream's schedule over the time line t = 1 .. eps in S steps: of m masks, trunc(m (1 - s / t)) are committed, in the
 * last step all. A step may commit nothing; its forward is spent all the same.
 */
export const timestep = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('timestep'),
    steps: z
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe('denoising steps per block; null is the block length (Dream: steps = new tokens)'),
    eps: z.number().min(0).max(0.5).default(0.001).describe('end of the time line, default of Dream'),
    transfer: z
      .enum(['top', 'each'])
      .default('top')
      .describe(
        'top: the most confident share of the masks; each: every mask by its own coin (Dream origin)',
      ),
    temperature: z
      .number()
      .min(0)
      .default(0)
      .describe('alg_temp of Dream: above 0 the masks are drawn from softmax(confidence / temperature)'),
    seed,
  }),
)({
  facts: () => FINAL_TOKENS,
  rule: ({ steps, eps, transfer, temperature, seed: coins }) => ({
    decide(canvas, scores) {
      const { start, end } = blockRange(canvas, canvas.block);
      const total = steps ?? end - start;
      const k = canvas.blockSteps;
      // In f32, as both published loops: a share that falls just short of a whole token commits one less.
      const f = Math.fround;
      const line = (at: number): number => f(1 - f(f(at / total) * f(1 - f(eps))));
      const share = k >= total - 1 ? 1 : f(1 - f(line(k + 1) / line(k)));
      const masked = maskedInBlock(canvas).length;
      const draw = (position: number): number => uniformAt(coins, canvas.block, k, position);
      if (transfer === 'each') return scores.filter(({ position }) => draw(position) < share).map(committed);
      // The n largest of c / T + Gumbel noise are n draws without replacement from softmax(c / T).
      const rank = ({ position, confidence }: RowOutcome): number =>
        temperature === 0 ? confidence : confidence / temperature - Math.log(-Math.log(draw(position)));
      return [...scores]
        .sort((a, b) => rank(b) - rank(a) || a.position - b.position)
        .slice(0, share === 1 ? scores.length : Math.trunc(f(masked * share)))
        .map(committed);
    },
    stateFor: () => 'S',
  }),
  contradicts: ({ steps }, { blockLength }) =>
    steps !== null && steps > blockLength
      ? [`commit.steps (${steps}) exceeds blockLength (${blockLength}), the most a block may take`]
      : [],
  givesUp: () => [{ part: 'D4-every-step', because: 'the schedule has steps that commit nothing' }],
  technique: plain,
  draws: (blockLength) => ({
    steps: [null, 1, Math.ceil(blockLength / 2), blockLength],
    eps: [0.001, 0.1],
    transfer: ['top', 'each'],
    temperature: [0, 0.5],
    seed: [0, 1, 2],
  }),
});
