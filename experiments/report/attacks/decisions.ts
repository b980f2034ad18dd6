import { formatValue } from '../../comparison/print.js';
import type { ReproduceResult } from '../../comparison/result.js';
import { FULL_SYSTEM, FULL_SYSTEM_DRAFTS_FED } from '../../studies/ladder/ladder.js';
import type { QualityRow } from '../../studies/quality/table.js';
import {
  type Attack,
  type Evidence,
  number,
  oursOf,
  percent,
  policyOf,
  rowOf,
  secondsOf,
  shareOf,
  swingOf,
  x,
} from './evidence.js';

/** Answers that may be lost: the margin of `tune`. */
const MARGIN = 0.03;
const BASELINE = 'block-kv';
const EXACT = 'exact-speculation-threshold';

function holds(
  value: number | null | undefined,
  low: number | null | undefined,
  high: number | null | undefined,
): string {
  const inside = low != null && high != null && value != null && low <= value && value <= high;
  return inside ? 'holds' : 'does not hold';
}

/** Who decides, what it is asked, and what it answers. */
export function attacksOnDecisions(evidence: Evidence): Attack[] {
  const { rung, study, ladder } = evidence;
  const [table6, tornado, counterfactuals] = [study('table6'), study('tornado'), study('counterfactuals')];
  const total = rowOf(table6, 'full system over CPU + KV');
  const ours = number(total.ours, total.name);
  const [base, last] = [rung('+ SOMR'), rung('+ SCR')];
  const per = (of: 'all' | 'text', row: typeof last): number => row.tokens_per_forward[of];
  return [
    {
      attack: 'Another model would be less sure: the gain is that of whoever decides',
      answer: `It is: full system over CPU + prefix KV is ${x(number(last.speedup.vsCpuKv, 'the ladder'))} with tiny-llada, ${x(ours)} with the process fitted to LLaDA-8B, ${x(number(total.paper, total.name))} in the paper. The process's interval over cases ${holds(total.paper, total.low, total.high)} the paper's, the one over machines ${holds(total.paper, total.machineLow, total.machineHigh)} it`,
    },
    {
      attack: 'There are several numbers for the full system',
      answer: `Its seconds for an answer on SM8750: with tiny-llada ${formatValue(last.latency_s.median)} (median of ${ladder.prompts.count}, the ladder) and ${formatValue(secondsOf(policyOf(evidence.quality('techniques'), FULL_SYSTEM)))} (${evidence.quality('techniques').options.n}, quality); with the process ${formatValue(oursOf(table6, '+ SCR'))} (median of 24, table6), ${formatValue(oursOf(tornado, 'full system, all defaults'))} (mean of 6, tornado) and ${formatValue(cellsOf(study('alternatives'))("llada.cpp's NPU path", 'full system'))} (median of 3, alternatives). Compare within one study only`,
    },
    {
      attack: 'Drafts are fed as masks in one table and as tokens in another',
      answer: `The ladder, and what says "full system", feed masks: MBSD gains ${x(oursOf(table6, 'gain of MBSD'))}, the total ${x(ours)}; as tokens ${x(oursOf(table6, 'gain of MBSD, drafts fed as tokens'))} and ${x(oursOf(table6, 'full system over CPU + KV, drafts fed as tokens'))}. fig5c, fig13b, scr-alone, speculation and rivals feed tokens, the reading that is better for MBSD: ${percent(shareOf(policyOf(evidence.quality('techniques'), FULL_SYSTEM_DRAFTS_FED)))} exact against ${percent(shareOf(policyOf(evidence.quality('techniques'), FULL_SYSTEM)))}`,
    },
    {
      attack: 'A plain threshold would do',
      answer: `It takes ${x(oursOf(counterfactuals, 'threshold 0.9 over full system'))} the time of the full system, ${x(oursOf(counterfactuals, 'threshold 0.9 + SLS over full system'))} with SLS (the process decides)`,
    },
    { attack: 'Faster because the answers are worse', answer: qualityAnswer(evidence) },
    { attack: 'The tasks are too easy to lose anything', answer: hardAnswer(evidence) },
    {
      attack: "This project's own method wins on this project's own model",
      answer: speculationAnswer(evidence),
    },
    {
      attack: 'Fill after the end of a text counts as tokens',
      answer: `Tokens a forward: ${per('all', last).toFixed(2)} with fill, ${per('text', last).toFixed(2)} without; the gain over one token per step is ${x(per('all', last) / per('all', base))} and ${x(per('text', last) / per('text', base))}`,
    },
    {
      attack: 'Seed and prompt were chosen',
      answer: `Seeds 2 and 3 move the full system by ${swingOf(tornado, '25 seed')}, prompts of 50 to 110 tokens by ${swingOf(tornado, '23 prompt')}`,
    },
  ];
}

/** Seconds of a dense Q4_0 answer on SM8750. */
export function cellsOf({ table = [], name }: ReproduceResult): (stack: string, technique: string) => number {
  return (stack, technique) => {
    const row = table.find(
      (each) =>
        each.soc === 'sm8750' &&
        each.quant === 'q4_0' &&
        each.pruning === 'dense' &&
        each.stack === stack &&
        each.technique === technique,
    );
    return number(typeof row?.seconds === 'number' ? row.seconds : null, `${name}: ${stack}, ${technique}`);
  };
}

/** The fastest policy that loses at most the margin of the answers of the baseline. */
export function fastestWithin(rows: readonly QualityRow[], base: QualityRow): QualityRow {
  const kept = rows.filter((row) => shareOf(row) >= shareOf(base) - MARGIN);
  return kept.reduce((one, other) => (secondsOf(other) < secondsOf(one) ? other : one));
}

/** What the full system costs in answers, and the fastest policy that costs at most the margin. */
function qualityAnswer({ quality }: Evidence): string {
  const table = quality('techniques');
  const base = policyOf(table, BASELINE);
  const full = policyOf(table, FULL_SYSTEM);
  const best = fastestWithin(table.rows, base);
  return (
    `They are: ${percent(shareOf(full))} exact against ${percent(shareOf(base))} of one token per step (${base.exact.n} problems). Within ` +
    `${100 * MARGIN} points of it the fastest is \`${best.policy}\`: ${percent(shareOf(best))}, ${formatValue(secondsOf(best))} s, ${x(secondsOf(base) / secondsOf(best))}; the full system ${x(secondsOf(base) / secondsOf(full))}`
  );
}

function hardAnswer({ quality }: Evidence): string {
  const table = quality('hard');
  const said = (policy: string): string => {
    const row = policyOf(table, policy);
    return `${percent(shareOf(row))} [${(100 * row.exact.low).toFixed(0)}, ${(100 * row.exact.high).toFixed(0)}]`;
  };
  const p = policyOf(table, FULL_SYSTEM).paired?.pHolm;
  return `On larger ones one token per step answers ${said(BASELINE)} exactly, the full system ${said(FULL_SYSTEM)} (p ${number(p, 'hard: p').toFixed(3)}), exact speculation ${said(EXACT)}: ${table.options.n} problems, so only large losses show`;
}

function speculationAnswer({ quality, study }: Evidence): string {
  const row = policyOf(quality('techniques'), EXACT);
  const long = found32(study('generality'));
  return `It is lossless only against its own threshold at blocks of 8: against one token per step it answers ${percent(shareOf(row))}, p ${(row.paired?.pHolm ?? 1) < 0.001 ? '< 0.001' : row.paired?.pHolm.toFixed(3)}. It needs short blocks: at 32, with the process, it gains ${x(long)}`;
}

/** Gain of exact speculation in blocks of 32 of LLaDA-8B on SM8750. */
function found32({ table = [], name }: ReproduceResult): number {
  const row = table.find(
    ({ model, phone, technique }) =>
      model === 'llada-8b' && phone === 'sm8750' && technique === 'exact speculation',
  );
  return number(typeof row?.gain === 'number' ? row.gain : null, `${name}: exact speculation`);
}
