import type { ReproduceResult } from '../../comparison/result.js';

/** The headlines of a result in Markdown, for pages: what is compared, with its number. */
export function headlinesMarkdown({ rows, command }: ReproduceResult): string {
  return [
    '| SM8750, dense Q4_0, simulated | here |',
    '|---|--:|',
    ...rows.map(({ name, ours, unit }) => `| ${name} | ${(ours ?? Number.NaN).toPrecision(3)} ${unit} |`),
    '',
    `Made by \`npx ${command}\`.`,
  ].join('\n');
}
