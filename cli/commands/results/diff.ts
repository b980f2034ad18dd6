import { createColors } from 'picocolors';
import { z } from 'zod';
import { diffRuns } from '../../../experiments/lab/diff.js';
import { ResultStore } from '../../../experiments/lab/store.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { resultsDirectory } from '../../results-directory.js';
import { cellText } from '../../run-list.js';
import { runFilter } from '../../run-options.js';

export const command = defineCommand({
  arguments: {
    a: z.string().describe('hash, or the beginning of it'),
    b: z.string().describe('the other'),
  },
  options: { results: runFilter.results },
  examples: ['results diff 3fa9 77b0'],
  run(ctx, { a, b, results }) {
    const store = new ResultStore(resultsDirectory(results));
    const [left, right] = [store.find(a), store.find(b)];
    const { asked, found } = diffRuns(left, right);
    ctx.data({ a: left.hash, b: right.hash, asked, found });
    if (asked.length + found.length === 0) {
      ctx.print('the same run');
      return;
    }
    ctx.print(
      table(
        ['name', `> ${left.hash.slice(0, 12)}`, `> ${right.hash.slice(0, 12)}`, '> ratio'],
        [...asked, ...found].map((line) => [
          line.name,
          cellText(line.a),
          cellText(line.b),
          line.ratio === null ? '' : line.ratio.toFixed(3),
        ]),
        { styleHeader: createColors(ctx.color).bold },
      ),
    );
  },
});
