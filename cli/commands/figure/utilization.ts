import { z } from 'zod';
import { traceUtilization } from '../../../experiments/figures/of-files.js';
import { defineCommand } from '../../command.js';
import { out, paper, writeFigureFiles } from '../../figure-files.js';

export const command = defineCommand({
  arguments: { trace: z.string().describe('trace with timing, see `generate --trace` and `ablate`') },
  options: { ...paper, out },
  examples: ['figure utilization results/ablation/latest/traces/scr.jsonl'],
  run: (ctx, { trace, width, title, out: base = 'utilization' }) =>
    writeFigureFiles(ctx, base, { width, title }, () => traceUtilization(trace)),
});
