import { z } from 'zod';
import { provenanceEntries } from '../../../sim/hardware/provenance.js';
import { STACK_NUMBER_NAMES, STACK_NUMBERS } from '../../../sim/stacks/numbers.js';
import { isStackPath, stackByName, stackChanges } from '../../../sim/stacks/registry.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { printNumbers } from '../../print-numbers.js';

export const command = defineCommand({
  arguments: { stack: z.string().describe('name, see `hardware stacks`, or path of a stack file') },
  examples: ['hardware stack llada.cpp', 'hardware stack llama.cpp-hexagon@2026-05'],
  run(ctx, { stack: nameOrPath }) {
    const { name, description, about, numbers: _, provenance, ...choices } = stackByName(nameOrPath);
    const numbers = provenanceEntries(provenance);
    const changes = isStackPath(nameOrPath) ? [] : stackChanges(nameOrPath.split('@')[0]);
    const dated = changes.map(({ date, thread, what, measured = [] }) => ({ date, thread, what, measured }));
    ctx.data({ name, description, about, choices, numbers, changes: dated });
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
    if (dated.length > 0)
      ctx.print(
        `\n${table(
          ['changed', 'thread', 'what', 'faster by, as measured there'],
          dated.map(({ date, thread, what, measured }) => [
            date,
            thread,
            what,
            measured.map(gain).join('; '),
          ]),
        )}`,
      );
  },
});

function gain({ what, ratio: [from, to] }: { what: string; ratio: readonly number[] }): string {
  return `${from === to ? from : `${from} to ${to}`} (${what})`;
}
