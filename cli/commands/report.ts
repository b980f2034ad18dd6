import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeReport } from '../../experiments/report/write-report.js';
import { printLadder } from '../../experiments/studies/ladder/print.js';
import { readSummary } from '../../experiments/studies/ladder/summary-file.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { flag, path } from '../groups.js';
import { ABLATION_DIRECTORY } from '../results-directory.js';

export const command = defineCommand({
  arguments: {
    summary: z
      .string()
      .optional()
      .describe('summary.json of an ablation (default: results/ablation/latest/summary.json)'),
  },
  options: {
    out: path('where to write (default: beside the summary)', 'dir'),
    table: flag('only print the table'),
  },
  effects: [{ options: ['out'], when: ({ table }) => !table, because: '--table writes nothing' }],
  examples: ['report', 'report results/reference/summary.json --out /tmp/report', 'report --table'],
  async run(ctx, { summary: file = join(ABLATION_DIRECTORY, 'summary.json'), out = dirname(file), table }) {
    const summary = readSummary(file);
    if (table) {
      ctx.print(printLadder(summary, ctx.color));
      ctx.data({ rows: summary.rows });
      return;
    }
    checkWritableDirectory(out);
    const files = await writeReport(out, summary);
    ctx.data({ files });
    for (const written of files) ctx.print(written);
  },
});
