import { z } from 'zod';
import { provenanceEntries } from '../../../sim/hardware/provenance.js';
import { STACK_NUMBER_NAMES, STACK_NUMBERS } from '../../../sim/stacks/numbers.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { printNumbers } from '../../print-numbers.js';

export const command = defineCommand({
  arguments: { stack: z.string().describe('name, see `hardware stacks`, or path of a stack file') },
  examples: ['hardware stack llada.cpp'],
  run(ctx, { stack: nameOrPath }) {
    const { name, description, about, numbers: _, provenance, ...choices } = stackByName(nameOrPath);
    const numbers = provenanceEntries(provenance);
    ctx.data({ name, description, about, choices, numbers });
    ctx.print(`${name}: ${about ?? description}\n`);
    printNumbers(ctx, numbers);
    ctx.print(
      `\n${table(
        ['number', 'is'],
        STACK_NUMBER_NAMES.map((number) => [number, STACK_NUMBERS[number].definition]),
      )}`,
    );
    const said = Object.entries(choices).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
    ctx.print(`\nchoices: ${said.join(', ')}`);
  },
});
