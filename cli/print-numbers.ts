import { createColors } from 'picocolors';
import type { ProvenanceEntry } from '../sim/hardware/provenance.js';
import { table } from '../src/util/table.js';
import type { Context } from './io.js';

/** Numbers with kind and source, the kinds in colour. */
export function printNumbers(ctx: Context, numbers: readonly ProvenanceEntry[]): void {
  const c = createColors(ctx.color);
  const paint = { measured: c.green, vendor: c.green, derived: c.blue, fitted: c.yellow, assumed: c.yellow };
  ctx.print(
    table(
      ['number', '> value', 'kind', 'range', 'source'],
      numbers.map((n) => [n.name, n.value, paint[n.kind](n.kind), n.range ?? '', n.source]),
      { styleHeader: c.bold },
    ),
  );
}
