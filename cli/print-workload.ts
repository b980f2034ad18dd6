import { createColors } from 'picocolors';
import type { Interval } from '../sim/interval/interval.js';
import type { WorkloadTiming } from '../sim/workload/workload.js';
import { table } from '../src/util/table.js';
import { intervalText } from './interval-text.js';
import type { Context } from './io.js';

/** Times of passes by what was varied. @param what heads the column of `count` */
export function printWorkload(
  ctx: Context,
  what: string,
  rows: readonly (WorkloadTiming & Interval & { readonly count: number })[],
): void {
  ctx.print(
    table(
      [`> ${what}`, '> ms', '80 % interval', '> tokens/s', '> passes'],
      rows.map(({ count, ms, low, high, tokensPerS, passes }) => [
        String(count),
        ms.toFixed(1),
        intervalText({ low, high }),
        tokensPerS.toFixed(2),
        String(passes),
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
}
