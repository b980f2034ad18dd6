import { z } from 'zod';
import { checkShipped, checkTrajectories, TOLERANCE_PCT } from '../../../experiments/trajectories/check.js';
import { CheckError } from '../../../src/errors.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { path } from '../../groups.js';

export const command = defineCommand({
  options: {
    from: path('recorded trajectories (JSON Lines), see docs/workloads.md'),
    process: z
      .string()
      .min(1)
      .default('paper')
      .describe('profile of the shipped process, or file of `workload fit`'),
  },
  effects: [
    {
      options: ['process'],
      when: ({ from }) => from !== undefined,
      because: 'nothing is compared without --from',
    },
  ],
  notes:
    'Without --from: decodes the cases of the shipped fit again and compares with the residuals that its file states. With --from:' +
    '\nhow sure the recorded model was of masked positions, by the masks to the left, beside what the process says in those contexts;' +
    `\nexit 1 when the median difference is above ${TOLERANCE_PCT} points.`,
  examples: ['workload check', 'workload check --from trajectories.jsonl --process fitted.json'],
  async run(ctx, { from, process }) {
    if (from === undefined) {
      const found = await checkShipped();
      ctx.data(found);
      ctx.print(
        `objective ${found.objective.toFixed(4)}, the file says ${found.recordedObjective.toFixed(4)}`,
      );
      if (found.differing.length > 0)
        throw new CheckError(
          `the shipped process no longer gives the residuals of its file: ${found.differing.join(', ')}`,
        );
      return;
    }
    const found = checkTrajectories(from, process);
    ctx.data(found);
    ctx.print(
      table(
        ['% of masked positions with', '> process', '> recorded', '> rows'],
        found.points.map(({ name, processPct, recordedPct, rows }) => [
          name,
          processPct.toFixed(1),
          recordedPct.toFixed(1),
          String(rows),
        ]),
      ),
    );
    const verdict = `median difference ${found.medianErrorPct.toFixed(1)} points, largest ${found.worstErrorPct.toFixed(1)}`;
    ctx.print(verdict);
    if (!found.passes)
      throw new CheckError(
        `${process} does not describe ${from}: ${verdict}; \`workload fit --from\` fits one to it`,
      );
  },
});
