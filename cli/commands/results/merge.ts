import { z } from 'zod';
import { mergeStores } from '../../../experiments/lab/merge.js';
import { ResultStore } from '../../../experiments/lab/store.js';
import { checkWritableDirectory } from '../../../src/util/check-writable.js';
import { defineCommand } from '../../command.js';
import { resultsDirectory } from '../../results-directory.js';
import { runFilter } from '../../run-options.js';

export const command = defineCommand({
  arguments: { dirs: z.array(z.string()).describe('result directories') },
  options: { results: runFilter.results },
  notes: 'Two results for one hash that differ are an error: nothing is overwritten.',
  examples: ['results merge /shared/node1/results /shared/node2/results'],
  run(ctx, { dirs, results }) {
    const store = new ResultStore(resultsDirectory(results));
    checkWritableDirectory(store.directory);
    const outcome = mergeStores(
      store,
      dirs.map((directory) => new ResultStore(directory)),
    );
    ctx.data({ results: store.directory, ...outcome });
    ctx.print(`${outcome.added} runs added, ${outcome.equal} were there with the same content`);
  },
});
