import { formatValue } from '../../comparison/print.js';
import type { QualityRow, QualityTable } from './table.js';

/** A quality table in Markdown, for pages, with the sentences that belong to it and the command that made it. */
export function qualityMarkdown({ rows, notes, command, options }: QualityTable): string {
  const timed = rows.some(({ seconds }) => seconds !== null);
  const head = [
    ...['policy', 'exact match %', 'forwards', 'tokens / forward'],
    ...(timed ? ['simulated s', 'J'] : []),
    ...[`only it right, only \`${options.baseline}\` right`, 'p (Holm)', 'same text %'],
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(head),
    line(head.map((_, at) => (at === 0 ? '---' : '--:'))),
    ...rows.map((row) => line([`\`${row.policy}\``, ...cellsOf(row)])),
    '',
    `${notes.map((note) => `${note[0].toUpperCase()}${note.slice(1)}`).join('. ')}. Made by:`,
    '',
    '```sh',
    `npx ${command}`,
    '```',
  ].join('\n');
}

const percent = (share: number): string => (100 * share).toFixed(1);

function cellsOf({ exact, forwards, tokensPerForward, seconds, joules, paired }: QualityRow): string[] {
  return [
    `${percent(exact.successes / exact.n)} [${percent(exact.low)}, ${percent(exact.high)}]`,
    forwards.toFixed(1),
    tokensPerForward.toFixed(2),
    ...[seconds, joules].flatMap((each) =>
      each === null
        ? []
        : [`${formatValue(each.median)} [${formatValue(each.low)}, ${formatValue(each.high)}]`],
    ),
    paired === null ? '' : `${paired.onlyPolicyRight}, ${paired.onlyBaselineRight}`,
    paired === null ? 'baseline' : paired.pHolm < 0.001 ? '< 0.001' : paired.pHolm.toFixed(3),
    paired === null ? '' : percent(paired.sameText / exact.n),
  ];
}
