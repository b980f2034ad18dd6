import type { Proportion } from '../../../src/score/statistics/proportion.js';
import type { AblationRow, Divergence } from './types.js';

/** Shown where a number does not exist (as opposed to being 0). */
export const ABSENT = '-';

/** About three significant digits, no exponent: 2996, 607, 71.6, 7.16, 0.72. */
export function formatSeconds(seconds: number): string {
  const digits = seconds >= 100 ? 0 : seconds >= 10 ? 1 : 2;
  return seconds.toFixed(digits);
}

/** Speed-up factor, `-` when there is nothing to compare with. */
export function formatFactor(factor: number | null | undefined): string {
  if (factor === null || factor === undefined) return ABSENT;
  return factor.toFixed(factor >= 100 ? 0 : factor >= 10 ? 1 : 2);
}

/** Fraction as whole percent without sign. */
export function formatPercent(fraction: number | null | undefined): string {
  return fraction === null || fraction === undefined ? ABSENT : (fraction * 100).toFixed(0);
}

export function formatGib(bytes: number | null): string {
  return bytes === null ? ABSENT : (bytes / 2 ** 30).toFixed(2);
}

/** GiB per step mapped again / copied into staging slots: `3.63 / 0.00`. */
export function formatMoved(row: AblationRow): string {
  if (row.mapped_bytes_per_step === null && row.staged_bytes_per_step === null) return ABSENT;
  return `${formatGib(row.mapped_bytes_per_step)}/${formatGib(row.staged_bytes_per_step)}`;
}

/** `607 [601, 612]`; a zero-width interval is left out, because there was nothing random in it. */
export function formatInterval(value: string, low: string, high: string): string {
  return low === high ? value : `${value} [${low}, ${high}]`;
}

export function formatLatency(row: AblationRow): string {
  const { median, low, high } = row.latency_s;
  return formatInterval(formatSeconds(median), formatSeconds(low), formatSeconds(high));
}

/** `50.2 [49.1, 51.0]`: a factor over CPU + prefix KV with its interval over the prompts. */
export function formatSpeedup({ speedup, speedupIntervals }: AblationRow): string {
  const factor = formatFactor(speedup.vsCpuKv);
  if (speedupIntervals === undefined) return factor;
  const { low, high } = speedupIntervals.cases;
  return formatInterval(factor, formatFactor(low), formatFactor(high));
}

/** `19.0 to 84`: where the factor may lie for what is not known of the machine. */
export function formatMachineSpread({ speedupIntervals }: AblationRow): string {
  if (speedupIntervals === undefined) return ABSENT;
  const { low, high } = speedupIntervals.machine;
  const [from, to] = [formatFactor(low), formatFactor(high)];
  return from === to ? ABSENT : `${from} to ${to}`;
}

/** Percent with its interval: `87 [79, 93]`. */
export function formatProportion(p: Proportion): string {
  return `${formatPercent(p.successes / p.n)} [${formatPercent(p.low)}, ${formatPercent(p.high)}]`;
}

/** A speed-up is only stated for a row that passed its check. */
export function trusted(row: AblationRow): boolean {
  return row.token_exact.verdict !== 'diverges';
}

/** Never rounds up to 100: that would claim equality. */
function agreementPercent(agreement: number): string {
  return agreement < 1 && agreement >= 0.995
    ? Math.min(99.9, agreement * 100).toFixed(1)
    : formatPercent(agreement);
}

/** Tokens that came out equal and need not: seen on these prompts, promised of none. */
export function sameByChance({
  token_exact: { verdict, reason },
}: Pick<AblationRow, 'token_exact'>): boolean {
  return verdict === 'exact' && reason !== undefined;
}

/** What a row's colour may say: equality that nothing guarantees is no pass. */
export function verdictColour(row: Pick<AblationRow, 'token_exact'>): AblationRow['token_exact']['verdict'] {
  return sameByChance(row) ? 'not-expected' : row.token_exact.verdict;
}

export function verdictWord(row: AblationRow): string {
  switch (row.token_exact.verdict) {
    case 'exact':
      return sameByChance(row) ? 'same here' : 'exact';
    case 'diverges':
      return 'DIVERGES';
    case 'not-expected': {
      const agreement = row.token_exact.agreement;
      return agreement === undefined ? 'approx.' : `${agreementPercent(agreement)} % same`;
    }
  }
}

function describeDivergence(d: Divergence): string {
  const step = d.step === null ? '' : `, step ${d.step}`;
  const pair = `${JSON.stringify(d.got)} for ${JSON.stringify(d.expected)}`;
  return `first at prompt ${d.prompt}, position ${d.position}${step}: ${pair}`;
}

/** What a reader needs to know about a row's token check beyond the verdict; null for a plain `exact`. */
export function exactnessNote(row: AblationRow): string | null {
  const check = row.token_exact;
  if (check.verdict === 'exact' && check.reason === undefined) return null;
  if (check.verdict === 'exact')
    return `tokens equal ${check.against} here, though they need not: ${check.reason}`;
  const parts = [
    `compared with ${check.against}`,
    check.reason,
    check.firstDivergence === undefined ? undefined : describeDivergence(check.firstDivergence),
  ];
  return parts.filter((part) => part !== undefined).join('; ');
}

/** What re-executing a row without cache, window or order found; null when it was not done. */
export function specificationNote(row: AblationRow): string | null {
  const check = row.token_exact.specification;
  if (check === undefined || check.rows === 0) return null;
  return (
    `${formatCount(check.rows)} predictions of ${check.prompts} ${check.prompts === 1 ? 'prompt' : 'prompts'} recomputed, ` +
    `${check.mismatches} differ`
  );
}

/** `1,048,576` style, independent of the machine's locale. */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}
