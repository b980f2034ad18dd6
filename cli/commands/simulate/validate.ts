import { join } from 'node:path';
import { createColors } from 'picocolors';
import { z } from 'zod';
import { ablationsAround, ablationsOf } from '../../../sim/validation/ablation.js';
import { explainRow } from '../../../sim/validation/explain-row.js';
import { groupsOf, seriesOf, summarize } from '../../../sim/validation/groups.js';
import { isPart, parsePublished } from '../../../sim/validation/published.js';
import { scoreRows } from '../../../sim/validation/score.js';
import { CheckError, UsageError } from '../../../src/errors.js';
import { unknownName } from '../../../src/util/nearest.js';
import { project } from '../../../src/util/project-root.js';
import { readText } from '../../../src/util/read-file.js';
import { defineCommand } from '../../command.js';
import { progressBar } from '../../progress.js';
import { ablationTable, explanation, groupsTable, rowsTable, seriesTable } from '../../validation-tables.js';

const SHIPPED = 'sim/validation/published-open.csv';
/** Rows whose sources give parts: looked at part by part, in no score. */
const PARTS = 'sim/validation/published-parts.csv';

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
    '\nsatisfied has error 0. A row that cannot be modelled has a reason and no error.' +
    '\nWhere a source gives parts (columns part_of and times, or a prompt and a token of one run), each part is set against' +
    '\nits own prediction in ms: errors that cancel in a sum show there.',
  examples: ['simulate validate', 'simulate validate mine.csv --json', 'simulate validate --explain A-02'],
  run(ctx, { file, explain }) {
    const path = file ?? join(project().root, SHIPPED);
    const read = parsePublished(readText(path), path);
    const published = read.filter((row) => !isPart(row));
    const parts = join(project().root, PARTS);
    const withParts = file === undefined ? [...read, ...parsePublished(readText(parts), parts)] : read;
    const style = { styleHeader: createColors(ctx.color).bold };
    if (explain !== undefined) {
      const row = withParts.find(({ id }) => id === explain);
      if (row === undefined)
        throw unknownName(
          'row',
          explain,
          withParts.map(({ id }) => id),
        );
      if (isPart(row)) throw new UsageError(`${explain} is a part of ${row.part_of}: ask for that one`);
      const found = explainRow(row);
      if ('reason' in found) throw new CheckError(`${explain} is not modelled: ${found.reason}`);
      const ablations = ablationsAround(explain, withParts);
      ctx.data({ ...found, ablations });
      ctx.print(explanation(found, style));
      if (ablations.length > 0) ctx.print(`\n${ablationTable(ablations, style)}`);
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
    const ablations = ablationsOf(withParts);
    // The shipped file is named as in the repository: the same output on every machine.
    ctx.data({
      file: file ?? SHIPPED,
      rows,
      groups,
      series,
      ablations,
      overall,
      measurements,
      shareModelled,
      coverage,
    });
    ctx.print(rowsTable(rows, style));
    ctx.print('');
    ctx.print(groupsTable([...groups, overall, measurements], style));
    ctx.print('');
    ctx.print(seriesTable(series, style));
    if (ablations.length > 0) ctx.print(`\n${ablationTable(ablations, style)}`);
  },
});
