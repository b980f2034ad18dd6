import { z } from 'zod';
import { runPareto } from '../../../experiments/figures/of-runs.js';
import { planSweep } from '../../../experiments/lab/plan.js';
import { ResultStore } from '../../../experiments/lab/store.js';
import { readSweep } from '../../../experiments/lab/sweep-file.js';
import { defineCommand } from '../../command.js';
import { out, paper, writeFigureFiles } from '../../figure-files.js';
import { path } from '../../groups.js';
import { resultsDirectory } from '../../results-directory.js';

const metric = z.string().min(1).meta({ value: 'metric' });

export const command = defineCommand({
  arguments: { sweep: z.string().describe('sweep file whose runs are in results/') },
  options: {
    x: metric.describe('column or expression; smaller is better, e.g. seconds').meta({ value: 'metric' }),
    y: metric
      .describe('column or expression; larger is better, e.g. exactShare; with a leading - smaller is')
      .meta({ value: 'metric' }),
    name: z.string().default('policy').describe('option that names a point').meta({ value: 'option' }),
    results: path('where runs are kept (default: results/)', 'dir'),
    ...paper,
    out,
  },
  examples: [
    'figure pareto policies.json --x seconds --y exactShare',
    'figure pareto policies.json --x "seconds / tokens" --y=-joules',
  ],
  run: (ctx, { sweep, results, width, title, out: base = 'pareto', ...axes }) =>
    writeFigureFiles(ctx, base, { width, title }, async () => {
      const store = new ResultStore(resultsDirectory(results));
      const runs = (await planSweep(readSweep(sweep))).filter(({ hash }) => store.has(hash));
      return runPareto(
        runs.map(({ hash }) => store.read(hash)),
        axes,
      );
    }),
});
