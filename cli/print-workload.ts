import { createColors } from 'picocolors';
import type { WorkloadTiming } from '../sim/workload/workload.js';
import { table } from '../src/util/table.js';
import type { Context } from './io.js';

/** Times of passes by what was varied. @param what heads the column of `count` */
export function printWorkload(
  ctx: Context,
  what: string,
  rows: readonly (WorkloadTiming & { readonly count: number })[],
): void {
  ctx.print(
    table(
      [`> ${what}`, '> ms', '> tokens/s', '> passes'],
      rows.map(({ count, ms, tokensPerS, passes }) => [
        String(count),
        ms.toFixed(1),
        tokensPerS.toFixed(2),
        String(passes),
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
}
