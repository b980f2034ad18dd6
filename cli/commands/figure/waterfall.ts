import { z } from 'zod';
import { summaryWaterfall } from '../../../experiments/figures/of-files.js';
import { defineCommand } from '../../command.js';
import { out, writeFigureFiles } from '../../figure-files.js';

export const command = defineCommand({
  arguments: { summary: z.string().describe('summary.json of `ablate`') },
  options: { out },
  examples: ['figure waterfall results/reference/ablation/summary.json'],
  run: (ctx, { summary, out: base = 'waterfall' }) =>
    writeFigureFiles(ctx, base, () => summaryWaterfall(summary)),
});
