import type { Command } from 'commander';
import { createColors } from 'picocolors';
import { CheckError } from '../../src/errors.js';
import type { Context } from '../io.js';

export function registerTrace(program: Command, context: () => Context): void {
  const group = program
    .command('trace')
    .description('look at a recorded decode (`generate --trace FILE` writes one)');

  group
    .command('show')
    .description('print a trace as a picture: one line per step, one letter per generated position')
    .argument('<file>', 'trace (JSON Lines)')
    .addHelpText('after', '\nExample:\n  $ dllm-npu trace show run.jsonl')
    .action(async (file: string) => {
      const ctx = context();
      const { readTrace } = await import('../../src/decode/trace/trace.js');
      const { carpetOfTrace } = await import('../../src/decode/trace/carpet.js');
      const { carpetText } = await import('../carpet-text.js');
      const trace = readTrace(file);
      const carpet = carpetOfTrace(trace);
      const { policy, model } = trace.header;
      ctx.data({ header: trace.header, ...carpet });
      ctx.print(carpetText(`${policy.name} on ${model.name}`, carpet, ctx.color));
    });

  group
    .command('validate')
    .description('check a trace: its schema, and every law of decoding on every step')
    .argument('<file>', 'trace (JSON Lines)')
    .addHelpText(
      'after',
      '\nExits with 1 when a law is broken.\n\nExample:\n  $ dllm-npu trace validate run.jsonl',
    )
    .action(async (file: string) => {
      const ctx = context();
      const { checkTrace, readTrace } = await import('../../src/decode/trace/trace.js');
      const read = readTrace(file);
      const violations = checkTrace(read);
      ctx.data({ file, ok: violations.length === 0, steps: read.steps.length, violations });
      const c = createColors(ctx.color);
      for (const { law, step, position, message } of violations) {
        const place = position === null ? `step ${step}` : `step ${step}, position ${position}`;
        ctx.print(`${c.red(law)}  ${place}: ${message}`);
      }
      if (violations.length > 0) {
        throw new CheckError(`${file}: ${violations.length} violation${violations.length === 1 ? '' : 's'}`);
      }
      ctx.print(`${file}: ${read.steps.length} steps, schema and laws hold`);
    });
}
