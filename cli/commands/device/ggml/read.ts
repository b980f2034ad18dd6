import { createColors } from 'picocolors';
import { z } from 'zod';
import { profileText } from '../../../../hw/ggml/profile-text.js';
import { readProfile } from '../../../../hw/ggml/read-profile.js';
import { opTotals, unitCycles } from '../../../../hw/ggml/summary.js';
import { defineCommand } from '../../../command.js';

export const command = defineCommand({
  arguments: {
    log: z.string().min(1).describe('log of a llama.cpp tool that ran with -v; plain, gzip or UTF-16'),
  },
  notes:
    'The format of the profile changed four times; the dialect is told, and a log of an unknown one is refused. Times of' +
    '\nseveral NPUs stand apart; a last line that was cut is told and not counted.',
  examples: ['device ggml read trace.log', 'device ggml read trace.log --json'],
  run(ctx, { log }) {
    const { profile, session } = readProfile(log);
    ctx.data({ session, totals: opTotals(profile), units: unitCycles(profile), profile });
    ctx.print(profileText(profile, createColors(ctx.color).bold));
  },
});
