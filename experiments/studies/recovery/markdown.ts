import type { RecoveryTable } from './run.js';

/** A recovery table in Markdown, for pages: a row for each policy, masked tokens that came back by share, the ends of the shares apart. */
export function recoveryMarkdown({ rows, options, refused }: RecoveryTable): string {
  const { shares } = options;
  const percent = (share: number): string => (100 * share).toFixed(1);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const [least, most] = [shares[0], shares[shares.length - 1]];
  const head = [
    'policy',
    ...shares.map((share) => `${100 * share} % masked`),
    `whole texts at ${100 * least} %`,
    `forwards at ${100 * most} %`,
  ];
  const policies = [...new Set(rows.map(({ policy }) => policy))];
  const body = policies.map((policy) => {
    const own = rows.filter((row) => row.policy === policy);
    const { successes, n, low, high } = own[0].whole;
    return line([
      `\`${policy}\``,
      ...own.map(({ tokens }) => percent(tokens.right / tokens.n)),
      `${successes} of ${n} [${percent(low)}, ${percent(high)}]`,
      own[own.length - 1].forwards.toFixed(1),
    ]);
  });
  return [
    line(head),
    line(head.map((_, at) => (at === 0 ? '---' : '--:'))),
    ...body,
    '',
    ...refused.map(({ policy, reason }) => `- \`${policy}\` does not fit: ${reason}.`),
  ].join('\n');
}
