import { z } from 'zod';
import { provenanceEntries } from '../../../sim/hardware/provenance.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { defineCommand } from '../../command.js';
import { printNumbers } from '../../print-numbers.js';

export const command = defineCommand({
  arguments: { stack: z.string().describe('name, see `hardware stacks`') },
  examples: ['hardware stack llada.cpp'],
  run(ctx, { stack: name }) {
    const numbers = provenanceEntries(stackByName(name).provenance);
    ctx.data({ name, numbers });
    printNumbers(ctx, numbers);
  },
});
