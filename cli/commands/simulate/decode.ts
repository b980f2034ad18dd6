import { z } from 'zod';
import { machineIntervals } from '../../../sim/interval/of-runs.js';
import { timeDecode } from '../../../sim/workload/workload.js';
import { defineCommand } from '../../command.js';
import { chipEffects, timedChip } from '../../groups.js';
import { heldNote } from '../../interval-text.js';
import { MAX_POSITIONS, MAX_ROWS } from '../../limits.js';
import { printWorkload } from '../../print-workload.js';
import { openTimedMachine } from '../../timed-machine.js';

export const command = defineCommand({
  options: {
    context: z
      .array(z.int().min(0).max(MAX_POSITIONS))
      .default([128, 1024])
      .describe('cached positions: 128,1024 or ranges'),
    sequences: z.int().min(1).max(MAX_ROWS).default(1).describe('sequences decoded together'),
    ...timedChip,
  },
  effects: chipEffects,
  examples: ['simulate decode --model llama-3.2-3b --stack qnn'],
  async run(ctx, { context, sequences, ...chip }) {
    const machine = await openTimedMachine(chip);
    const timed = context.map((cached) => {
      ctx.signal.throwIfAborted();
      return { context: cached, ...timeDecode(machine, cached, sequences) };
    });
    const { intervals, held } = machineIntervals(
      machine,
      timed.map(({ ms }) => ({ ms, further: ['a token at a time'] })),
      (drawn) => context.map((cached) => timeDecode(drawn, cached, sequences).ms),
      ctx.signal,
    );
    const rows = timed.map((row, at) => ({ ...row, ...intervals[at] }));
    ctx.data({ machine: machine.name, sequences, rows, intervals: held });
    ctx.print(`Decode on ${machine.name}, simulated\n`);
    printWorkload(
      ctx,
      'context',
      rows.map((row) => ({ ...row, count: row.context })),
    );
    ctx.print(heldNote(held));
  },
});
