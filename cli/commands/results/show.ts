import { createColors } from 'picocolors';
import { z } from 'zod';
import { ResultStore } from '../../../experiments/lab/store.js';
import { flatten } from '../../../experiments/lab/table.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { resultsDirectory } from '../../results-directory.js';
import { cellText } from '../../run-list.js';
import { runFilter } from '../../run-options.js';

export const command = defineCommand({
  arguments: { hash: z.string().describe('its hash, or the beginning of it') },
  options: { results: runFilter.results },
  examples: ['results show 3fa9 --json'],
  run(ctx, { hash: prefix, results }) {
    const store = new ResultStore(resultsDirectory(results));
    const record = store.find(prefix);
    const line = store.index().find(({ hash }) => hash === record.hash);
    ctx.data({ ...record, made: line });
    const reason = record.reason ? `: ${record.reason}` : '';
    ctx.print(`${record.hash}\n${record.kind}, ${record.outcome}${reason}`);
    if (line?.finishedAt)
      ctx.print(`made ${line.finishedAt} in ${line.seconds} s on ${line.host}, ${line.node}`);
    ctx.print(`code ${record.code.slice(0, 12)}, version ${record.version}\n`);
    const pairs = {
      ...flatten('config', record.config),
      ...flatten('inputs', record.inputs),
      ...record.metrics,
    };
    ctx.print(
      table(
        ['name', '> value'],
        Object.entries(pairs).map(([name, value]) => [name, cellText(value)]),
        { styleHeader: createColors(ctx.color).bold },
      ),
    );
  },
});
