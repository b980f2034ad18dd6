import { createColors } from 'picocolors';
import { z } from 'zod';
import { profileDifferences } from '../../../sim/hardware/compare.js';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  arguments: {
    a: z.string().describe('name or path of a profile'),
    b: z.string().describe('name or path of another'),
  },
  examples: ['hardware diff sm8650 sm8750'],
  run(ctx, input) {
    const [a, b] = [loadProfile(input.a), loadProfile(input.b)];
    const numbers = profileDifferences(a, b);
    ctx.data({ a: a.name, b: b.name, numbers });
    ctx.print(
      table(
        ['number', `> ${a.name}`, 'kind', `> ${b.name}`, 'kind', '> ratio'],
        numbers.map((n) => [
          n.name,
          n.a.value,
          n.a.kind,
          n.b.value,
          n.b.kind,
          n.ratio === null ? '' : n.ratio.toFixed(2),
        ]),
        { styleHeader: createColors(ctx.color).bold },
      ),
    );
  },
});
