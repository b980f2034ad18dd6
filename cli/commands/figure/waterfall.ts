import { z } from 'zod';
import { summaryWaterfall } from '../../../experiments/figures/of-files.js';
import { defineCommand } from '../../command.js';
import { out, paper, writeFigureFiles } from '../../figure-files.js';

export const command = defineCommand({
  arguments: { summary: z.string().describe('summary.json of `ablate`') },
  options: { ...paper, out },
  examples: ['figure waterfall results/reference/ablation/summary.json'],
  run: (ctx, { summary, width, title, out: base = 'waterfall' }) =>
    writeFigureFiles(ctx, base, { width, title }, () => summaryWaterfall(summary)),
});
