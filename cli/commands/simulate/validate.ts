import { join } from 'node:path';
import { createColors } from 'picocolors';
import { z } from 'zod';
import { parsePublished } from '../../../sim/validation/published.js';
import { type GroupScore, scorePublished } from '../../../sim/validation/score.js';
import { project } from '../../../src/util/project-root.js';
import { readText } from '../../../src/util/read-file.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';

const SHIPPED = 'sim/validation/published-open.csv';

export const command = defineCommand({
  arguments: { file: z.string().optional().describe('CSV of measurements (default: the shipped open set)') },
  notes:
    'Nothing is fitted: profiles and stacks are taken as shipped, and rules look at what a row says, never at' +
    '\nwhich row it is. A row that cannot be modelled gets no error, and a reason. A lower bound (>=) that a' +
    '\nprediction satisfies has error 0; the last line leaves such rows out.',
  examples: ['simulate validate', 'simulate validate mine.csv --json'],
  run(ctx, { file }) {
    const path = file ?? join(project().root, SHIPPED);
    const { rows, groups, overall, measurements } = scorePublished(parsePublished(readText(path), path));
    const shareModelled = rows.length === 0 ? 0 : overall.modelled / rows.length;
    // The shipped file is named as in the repository: the same output on every machine.
    ctx.data({ file: file ?? SHIPPED, rows, groups, overall, measurements, shareModelled });
    const { bold: styleHeader } = createColors(ctx.color);
    ctx.print(
      table(
        ['row', '> predicted', '> published', 'unit', '> error', 'timed as, or why not'],
        rows.map((row) => [
          row.id,
          row.predicted === null ? '' : significant(row.predicted),
          `${row.bound ? '>= ' : ''}${row.published}`,
          row.unit,
          signed(row.error),
          row.as ?? row.reason ?? '',
        ]),
        { styleHeader },
      ),
    );
    ctx.print('');
    ctx.print(
      table(
        ['group', '> rows', '> modelled', '> median |error|', 'worst'],
        [...groups, overall, measurements].map(groupCells),
        { styleHeader },
      ),
    );
  },
});

function groupCells({ group, rows, modelled, median, worst }: GroupScore): string[] {
  return [
    group,
    String(rows),
    String(modelled),
    median === null ? '' : `${(median * 100).toFixed(0)} %`,
    worst === null ? '' : `${worst.id} ${signed(worst.error)}`,
  ];
}

function significant(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

function signed(error: number | null): string {
  return error === null ? '' : `${error < 0 ? '-' : '+'}${(Math.abs(error) * 100).toFixed(0)} %`;
}
