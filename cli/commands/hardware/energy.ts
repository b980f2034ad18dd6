import { ENERGY_NUMBERS } from '../../../sim/energy/energy-numbers.js';
import { provenanceEntries } from '../../../sim/hardware/provenance.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  examples: ['hardware energy'],
  run(ctx) {
    const numbers = provenanceEntries(ENERGY_NUMBERS);
    ctx.data({ numbers });
    ctx.print(
      table(
        ['number', 'value', 'kind', 'range', 'source', 'note'],
        numbers.map((n) => [n.name, n.value, n.kind, n.range ?? '', n.source, n.note ?? '']),
      ),
    );
  },
});
