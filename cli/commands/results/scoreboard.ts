import { join } from 'node:path';
import { z } from 'zod';
import {
  readResults,
  scoreboardMarkdown,
  scoreboardOf,
  withScoreboard,
} from '../../../experiments/comparison/scoreboard.js';
import { atomicWriteFile } from '../../../src/util/atomic-write.js';
import { project } from '../../../src/util/project-root.js';
import { readText } from '../../../src/util/read-file.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  options: {
    from: z
      .string()
      .min(1)
      .optional()
      .describe('directory that `reproduce all --out` wrote (default: the reference results)')
      .meta({ value: 'dir' }),
    update: z
      .string()
      .min(1)
      .optional()
      .describe('page whose scoreboard is made anew, between <!-- scoreboard:... --> and its end')
      .meta({ value: 'file' }),
  },
  notes:
    'Every row with a published number or a band counts. A missed band is a finding, not a failure: exit 0.',
  examples: [
    'results scoreboard --json',
    'results scoreboard --from results/reproduce',
    'results scoreboard --update results/reference/README.md',
  ],
  run(ctx, { from, update }) {
    const directory = from ?? join(project().root, 'results', 'reference', 'reproduce');
    const board = scoreboardOf(readResults(directory));
    if (update !== undefined) {
      atomicWriteFile(update, withScoreboard(readText(update), board, update));
      ctx.note(`written to ${update}`);
    }
    ctx.data(board);
    ctx.print(scoreboardMarkdown(board));
  },
});
