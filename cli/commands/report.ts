import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../io.js';
import { latestAblation } from './ablate.js';

export function registerReport(program: Command, context: () => Context): void {
  program
    .command('report')
    .description('render the figures and the HTML report of a summary again')
    .argument('[summary]', 'summary.json of an ablation (default: results/ablation/latest/summary.json)')
    .option('--out <dir>', 'where to write (default: beside the summary)')
    .option('--table', 'only print the table')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dllm-npu report\n  $ dllm-npu report results/reference/summary.json --out /tmp/report\n  $ dllm-npu report --table',
    )
    .action(async (file: string | undefined, options: { out?: string; table?: boolean }) => {
      const ctx = context();
      const { readSummary } = await import('../../experiments/studies/ladder/summary-file.js');
      const path = file ?? join(latestAblation(), 'summary.json');
      const summary = readSummary(path);
      if (options.table) {
        const { printLadder } = await import('../../experiments/studies/ladder/print.js');
        ctx.print(printLadder(summary, ctx.color));
        ctx.data({ rows: summary.rows });
        return;
      }
      const { writeReport } = await import('../../experiments/report/write-report.js');
      const files = await writeReport(options.out ?? dirname(path), summary);
      ctx.data({ files });
      for (const written of files) ctx.print(written);
    });
}
