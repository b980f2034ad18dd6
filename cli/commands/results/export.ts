import { z } from 'zod';
import { formatRuns, RUN_FORMATS } from '../../../experiments/lab/format-runs.js';
import { userMetrics } from '../../../experiments/lab/metric.js';
import { selectRuns } from '../../../experiments/lab/select-runs.js';
import { ResultStore } from '../../../experiments/lab/store.js';
import { UsageError } from '../../../src/errors.js';
import { atomicWriteFile } from '../../../src/util/atomic-write.js';
import { checkWritableFile } from '../../../src/util/check-writable.js';
import { defineCommand } from '../../command.js';
import { path } from '../../groups.js';
import { resultsDirectory } from '../../results-directory.js';
import { runFilter } from '../../run-options.js';

export const command = defineCommand({
  options: {
    ...runFilter,
    format: z.enum(RUN_FORMATS).default('csv').describe('csv, parquet, or one JSON object per line (jsonl)'),
    columns: z
      .array(z.string())
      .default([])
      .describe('only these columns, in this order, e.g. hash,config.rows,ms (csv and parquet)')
      .meta({ value: 'names' }),
    out: path('file to write (default: standard output; parquet needs a file)'),
  },
  examples: [
    'results export --sweep rows.json > rows.csv',
    'results export --sweep rows.json --columns config.rows,ms,joules > rows.csv',
    'results export --kind decode --format parquet --out decodes.parquet',
  ],
  effects: [
    {
      options: ['columns'],
      when: ({ format }) => format !== 'jsonl',
      because: 'a line of --format jsonl is the whole run',
    },
  ],
  async run(ctx, { results, metric, format, columns, out, ...filter }) {
    if (format === 'parquet' && out === undefined) throw new UsageError('--format parquet needs --out FILE');
    checkWritableFile(out);
    const store = new ResultStore(resultsDirectory(results));
    const stored = (await selectRuns(store, filter)).map(({ hash }) => store.read(hash));
    const own = await userMetrics(stored, metric);
    const records = stored.map((record, i) => ({ ...record, metrics: { ...record.metrics, ...own[i] } }));
    const content = formatRuns(format, records, columns);
    if (out === undefined) {
      ctx.io.stdout.write(String(content));
      return;
    }
    atomicWriteFile(out, content);
    ctx.data({ file: out, runs: records.length });
    ctx.print(`${records.length} runs written to ${out}`);
  },
});
