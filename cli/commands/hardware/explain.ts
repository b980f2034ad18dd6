import { createColors } from 'picocolors';
import { z } from 'zod';
import { numberEverywhere } from '../../../sim/hardware/compare.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  arguments: {
    number: z.string().describe('e.g. npu.dmaRate, driver.mapPerByte, or cpuThreads of the stacks'),
  },
  notes: 'What it does to a step: `simulate sensitivity`.',
  examples: ['hardware explain npu.dmaRate'],
  run(ctx, { number: name }) {
    const values = numberEverywhere(name);
    ctx.data({ name, values });
    ctx.print(
      table(
        ['where', 'value', 'kind', 'range', 'source', 'note'],
        values.map((n) => [n.place, n.value, n.kind, n.range ?? '', n.source, n.note ?? '']),
        { styleHeader: createColors(ctx.color).bold },
      ),
    );
  },
});
