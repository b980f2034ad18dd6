import { z } from 'zod';
import { machineIntervals } from '../../../sim/interval/of-runs.js';
import { timePrefill } from '../../../sim/workload/workload.js';
import { defineCommand } from '../../command.js';
import { chipEffects, step, timedChip } from '../../groups.js';
import { heldNote } from '../../interval-text.js';
import { MAX_POSITIONS } from '../../limits.js';
import { printWorkload } from '../../print-workload.js';
import { openTimedMachine } from '../../timed-machine.js';

export const command = defineCommand({
  options: {
    prompt: z
      .array(z.int().min(1).max(MAX_POSITIONS))
      .default([128, 512])
      .describe('tokens of the prompt: 128,512 or ranges')
      .meta({ alias: 'tokens' }),
    context: step.context.describe('positions cached before the prompt'),
    ...timedChip,
  },
  effects: chipEffects,
  examples: ['simulate prefill --model qwen3-4b --stack llama.cpp-hexagon --profile sm8850'],
  async run(ctx, { prompt, context, ...chip }) {
    const machine = await openTimedMachine(chip);
    const timed = prompt.map((count) => {
      ctx.signal.throwIfAborted();
      return { tokens: count, ...timePrefill(machine, count, context) };
    });
    const { intervals, held } = machineIntervals(
      machine,
      timed.map(({ ms }) => ({ ms, further: [] })),
      (drawn) => prompt.map((count) => timePrefill(drawn, count, context).ms),
      ctx.signal,
    );
    const rows = timed.map((row, at) => ({ ...row, ...intervals[at] }));
    ctx.data({ machine: machine.name, context, rows, intervals: held });
    ctx.print(`Prefill on ${machine.name}, simulated\n`);
    printWorkload(
      ctx,
      'tokens',
      rows.map((row) => ({ ...row, count: row.tokens })),
    );
    ctx.print(heldNote(held));
  },
});
