import { selectRuns } from '../../../experiments/lab/select-runs.js';
import { ResultStore } from '../../../experiments/lab/store.js';
import { defineCommand } from '../../command.js';
import { resultsDirectory } from '../../results-directory.js';
import { listRuns, printRuns, withMainMetrics } from '../../run-list.js';
import { runFilter } from '../../run-options.js';

export const command = defineCommand({
  options: runFilter,
  examples: [
    'results list --kind step --where memory=somr',
    'results list --kind step --metric "ms_per_row = ms / config.rows"',
  ],
  async run(ctx, { results, metric, ...filter }) {
    const store = new ResultStore(resultsDirectory(results));
    const runs = await withMainMetrics(store, await listRuns(store, await selectRuns(store, filter), metric));
    ctx.data({ results: store.directory, runs });
    if (runs.length === 0) {
      ctx.print(`no such runs in ${store.directory}`);
      return;
    }
    printRuns(ctx, runs, filter.refused ? ({ hash }) => store.read(hash).reason ?? '' : undefined);
    ctx.note(
      `${runs.length} runs in ${store.directory}; run s: what the run took here, all else is its result`,
    );
  },
});
