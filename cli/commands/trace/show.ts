import { z } from 'zod';
import { carpetOfTrace } from '../../../src/decode/trace/carpet.js';
import { readTrace } from '../../../src/decode/trace/trace.js';
import { carpetText } from '../../carpet-text.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  arguments: { file: z.string().describe('trace (JSON Lines)') },
  examples: ['trace show run.jsonl'],
  run(ctx, { file }) {
    const trace = readTrace(file);
    const carpet = carpetOfTrace(trace);
    const { policy, model } = trace.header;
    ctx.data({ header: trace.header, ...carpet });
    ctx.print(carpetText(`${policy.name} on ${model.name}`, carpet, ctx.color));
  },
});
