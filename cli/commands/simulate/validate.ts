import { join } from 'node:path';
import { createColors } from 'picocolors';
import { z } from 'zod';
import { explainRow } from '../../../sim/validation/explain-row.js';
import { groupsOf, seriesOf, summarize } from '../../../sim/validation/groups.js';
import { parsePublished } from '../../../sim/validation/published.js';
import { scoreRows } from '../../../sim/validation/score.js';
import { CheckError } from '../../../src/errors.js';
import { unknownName } from '../../../src/util/nearest.js';
import { project } from '../../../src/util/project-root.js';
import { readText } from '../../../src/util/read-file.js';
import { defineCommand } from '../../command.js';
import { progressBar } from '../../progress.js';
import { explanation, groupsTable, rowsTable, seriesTable } from '../../validation-tables.js';

const SHIPPED = 'sim/validation/published-open.csv';

export const command = defineCommand({
  arguments: { file: z.string().optional().describe('CSV of measurements (default: the shipped open set)') },
  options: {
    explain: z
      .string()
      .min(1)
      .optional()
      .describe('one row taken apart: what was timed, its parts, the numbers that move it')
      .meta({ value: 'row' }),
  },
  notes:
    'Nothing is fitted: profiles and stacks are taken as shipped, and rules look at what a row says, never at' +
    '\nwhich row it is. A file may mix models and operators (a model column of "MUL_MAT m2048 k8192 n2"). What a row' +
    '\nleaves open (a context, a chip, a build) is taken from a stated default, and its range is in the interval: 80 % of' +
    '\nwhat ranges of numbers, open conditions and the form of the model allow. Bounds (>=) are scored apart: one that is' +
    '\nsatisfied has error 0. A row that cannot be modelled has a reason and no error.',
  examples: ['simulate validate', 'simulate validate mine.csv --json', 'simulate validate --explain A-02'],
  run(ctx, { file, explain }) {
    const path = file ?? join(project().root, SHIPPED);
    const published = parsePublished(readText(path), path);
    const style = { styleHeader: createColors(ctx.color).bold };
    if (explain !== undefined) {
      const row = published.find(({ id }) => id === explain);
      if (row === undefined)
        throw unknownName(
          'row',
          explain,
          published.map(({ id }) => id),
        );
      const found = explainRow(row);
      if ('reason' in found) throw new CheckError(`${explain} is not modelled: ${found.reason}`);
      ctx.data(found);
      ctx.print(explanation(found, style));
      return;
    }
    const bar = progressBar(ctx, 'rows');
    const rows = scoreRows(published, ctx.signal, (done) => bar.update(done, published.length));
    bar.stop();
    const groups = groupsOf(published, rows);
    const series = seriesOf(published, rows);
    const overall = summarize(null, 'all', rows);
    const measurements = summarize(
      null,
      'without bounds',
      rows.filter(({ bound }) => !bound),
    );
    const shareModelled = rows.length === 0 ? 0 : overall.modelled / rows.length;
    const { coverage } = measurements;
    // The shipped file is named as in the repository: the same output on every machine.
    ctx.data({ file: file ?? SHIPPED, rows, groups, series, overall, measurements, shareModelled, coverage });
    ctx.print(rowsTable(rows, style));
    ctx.print('');
    ctx.print(groupsTable([...groups, overall, measurements], style));
    ctx.print('');
    ctx.print(seriesTable(series, style));
  },
});
