import {
  formatCount,
  formatFactor,
  formatLatency,
  formatMachineSpread,
  formatPercent,
  formatProportion,
  formatSeconds,
  formatSpeedup,
  verdictWord,
} from './format.js';
import type { AblationSummary } from './types.js';

/** The ladder as a Markdown table with the sentences that belong to it, for README files. */
export function ladderMarkdown(summary: AblationSummary): string {
  const header = [
    'row',
    'simulated s',
    'x CPU + KV',
    '80 % over machines',
    'paper s',
    'paper x',
    'NFE',
    'tokens / forward',
    'matrix / vector / DMA / CPU busy %',
    'exact match %',
    'tokens',
  ];
  const rows = summary.rows.map((row) => {
    const u = row.utilization;
    const busy = [u.matrix, u.vector, u.dma, u.cpu].map(formatPercent).join(' / ');
    return [
      row.name,
      formatLatency(row),
      formatSpeedup(row),
      formatMachineSpread(row),
      row.paper_s === null ? '' : formatSeconds(row.paper_s),
      formatFactor(row.paper_speedup?.vsCpuKv),
      row.forwards.mean.toFixed(row.forwards.mean >= 100 ? 0 : 1),
      row.tokens_per_forward.all.toFixed(2),
      busy,
      formatProportion(row.accuracy.whole),
      verdictWord(row),
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const checks = summary.rows.flatMap((row) => row.token_exact.specification ?? []);
  const sum = (of: (check: (typeof checks)[number]) => number): number =>
    checks.reduce((n, c) => n + of(c), 0);
  return [
    line(header),
    line(header.map((_, index) => (index === 0 ? '---' : '--:'))),
    ...rows.map(line),
    '',
    `${summary.prompts.count} held-out prompts, ${summary.prompts.genLength ?? 128} tokens each; medians with 95 % intervals over prompts; over machines: draws of heat and of every number that has a range, spread by the form of the model, both rows of a factor on the same draw; exact match of the ` +
      'whole answer with Wilson intervals. "exact": the tokens are those of the row it must reproduce; "same here": equal on these prompts, which nothing guarantees; "n % same": ' +
      `approximate by design, share of equal tokens. Recomputed without cache or window on ` +
      `${Math.max(0, ...checks.map((c) => c.prompts))} prompts: ` +
      `${formatCount(sum((c) => c.rows))} predictions over the rows, ${sum((c) => c.mismatches)} differ. Made by:`,
    '',
    '```sh',
    `npx ${summary.command} --out results/reference/ablation`,
    '```',
  ].join('\n');
}
