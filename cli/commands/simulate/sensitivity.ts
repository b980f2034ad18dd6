import { createColors } from 'picocolors';
import { z } from 'zod';
import { stepSensitivity } from '../../../sim/sensitivity/of-step.js';
import { denoisingShape } from '../../../sim/workload/steady-step.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { chipEffects, flag, step, timedChip } from '../../groups.js';
import { openTimedMachine } from '../../timed-machine.js';

export const command = defineCommand({
  options: {
    rows: step.rows,
    context: step.context.default(80),
    measured: flag('also numbers that were measured and have a range'),
    sobol: z
      .int()
      .min(0)
      .max(100_000)
      .default(0)
      .describe('samples of total-order indices; n * (parameters + 2) steps; 0 is none'),
    seed: z.int().min(0).default(0).describe('of the samples'),
    ...timedChip,
  },
  effects: [
    ...chipEffects,
    { options: ['seed'], when: ({ sobol }) => sobol > 0, because: 'it is of the samples of --sobol' },
  ],
  notes:
    'One at a time: each number at both ends of its range, the others at their defaults. Total order: all numbers' +
    '\nuniform in their ranges, the share of the variance that a number takes part in.',
  examples: ['simulate sensitivity', 'simulate sensitivity --sobol 256 --json'],
  async run(ctx, { rows, context, measured, sobol, seed, ...chip }) {
    const machine = await openTimedMachine(chip);
    const { ms, meanMs, deviationMs, parameters } = stepSensitivity(machine, denoisingShape(rows, context), {
      measured,
      sobol,
      seed,
      signal: ctx.signal,
    });
    ctx.data({ machine: machine.name, rows, context, ms, samples: sobol, meanMs, deviationMs, parameters });
    ctx.print(`One step of ${rows} rows on ${machine.name}: ${ms.toFixed(1)} ms, simulated`);
    if (meanMs !== undefined) {
      ctx.print(
        `All numbers anywhere in their ranges: ${meanMs.toFixed(1)} ms, standard deviation ${deviationMs?.toFixed(1)} ms`,
      );
    }
    const shown = parameters.filter(({ swing }) => swing > 0);
    ctx.print(
      `\n${table(
        [
          ...['number', 'kind', '> ms at low', '> ms at high', '> swing'],
          ...(sobol === 0 ? [] : ['> total order']),
        ],
        shown.map((one) => [
          one.name,
          one.kind,
          one.msAtLow.toFixed(1),
          one.msAtHigh.toFixed(1),
          `${(one.swing * 100).toFixed(1)} %`,
          ...(one.totalOrder === undefined ? [] : [one.totalOrder.toFixed(3)]),
        ]),
        { styleHeader: createColors(ctx.color).bold },
      )}`,
    );
    ctx.print(`\n${parameters.length - shown.length} more numbers have no effect on this step.`);
  },
});
