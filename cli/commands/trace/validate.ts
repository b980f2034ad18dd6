import { createColors } from 'picocolors';
import { z } from 'zod';
import { checkTrace, readTrace } from '../../../src/decode/trace/trace.js';
import { CheckError } from '../../../src/errors.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  arguments: { file: z.string().describe('trace (JSON Lines)') },
  notes: 'Exits with 1 when a law is broken.',
  examples: ['trace validate run.jsonl'],
  run(ctx, { file }) {
    const trace = readTrace(file);
    const violations = checkTrace(trace);
    ctx.data({ file, ok: violations.length === 0, steps: trace.steps.length, violations });
    const c = createColors(ctx.color);
    for (const { law, step, position, message } of violations) {
      const place = position === null ? `step ${step}` : `step ${step}, position ${position}`;
      ctx.print(`${c.red(law)}  ${place}: ${message}`);
    }
    if (violations.length > 0) {
      throw new CheckError(`${file}: ${violations.length} violation${violations.length === 1 ? '' : 's'}`);
    }
    ctx.print(`${file}: ${trace.steps.length} steps, schema and laws hold`);
  },
});
