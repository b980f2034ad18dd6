import { formatValue } from '../../comparison/print.js';
import { FULL_SYSTEM } from '../../studies/ladder/ladder.js';
import { attacksOn } from './attacks.js';
import { cellsOf } from './decisions.js';
import { evidenceIn, number, oursOf, policyOf, secondsOf, shareOf, x } from './evidence.js';

const BASELINE = 'block-kv';
const EXACT = 'exact-speculation-threshold';

/**
 * What stands at the top of the tables and speaks against the system studied, or against this study, in one item of a list.
 * @param reference directory of the reference results
 * @throws as `attacksMarkdown`
 */
export function headlineMarkdown(reference: string): string {
  const { rung, study, quality } = evidenceIn(reference);
  const last = rung('+ SCR');
  const table = quality('techniques');
  const [base, full, exact] = [BASELINE, FULL_SYSTEM, EXACT].map((policy) => policyOf(table, policy));
  const lost = (row: typeof full): string => formatValue(100 * (shareOf(base) - shareOf(row)));
  const cell = cellsOf(study('alternatives'));
  const attacks = attacksOn(reference).length;
  const gpu = cell('GPU', 'full system') / cell("llada.cpp's NPU path", 'full system');
  return [
    `- The full system gains ${x(number(last.speedup.vsCpuKv, 'the ladder'))} over CPU + prefix KV (tiny-llada; ${x(oursOf(study('table6'), 'full system over CPU + KV'))} where a process decides, ${x(number(last.paper_speedup?.vsCpuKv, 'Table 6'))} in the paper) and answers ${lost(full)} points fewer of ${base.exact.n} problems`,
    `  exactly than one token per step. Exact speculation takes ${formatValue(secondsOf(exact))} s against ${formatValue(secondsOf(full))} and loses ${lost(exact)}; the same decoding on the GPU takes ${x(gpu)} the time. [${attacks} attacks](docs/results.md#attacks-with-their-numbers).`,
  ].join('\n');
}
