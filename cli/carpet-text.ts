import { createColors } from 'picocolors';
import type { Carpet } from '../src/decode/trace/carpet.js';

/** Lighter signs for what is still open, so that the picture has a shape even without colour. */
const SIGNS: Readonly<Record<string, string>> = { M: '.', I: '_', D: 'd', V: 'v', S: 'S' };
const REVISED = 'r';

/**
 * A decode as text: one line per step, one character per generated position, `|` between blocks. Complete without
 * colour.
 */
export function carpetText(title: string, carpet: Carpet, color: boolean): string {
  const c = createColors(color);
  const paint: Readonly<Record<string, (text: string) => string>> = {
    '.': c.dim,
    _: c.cyan,
    d: c.magenta,
    v: c.yellow,
    S: c.green,
    [REVISED]: c.red,
  };
  const revised = new Set(carpet.revisions.map((r) => `${r.step}:${r.position - carpet.promptLength}`));
  const digits = Math.max(4, String(carpet.columns.at(-1)?.step ?? 0).length);
  const lines = carpet.columns.map(({ step, kind, marks }) => {
    const row = [...marks].map((mark, position) => {
      const sign = revised.has(`${step}:${position}`) ? REVISED : (SIGNS[mark] ?? '?');
      const edge = position > 0 && position % carpet.blockLength === 0 ? '|' : '';
      return edge + (paint[sign] ?? String)(sign);
    });
    return `${String(step).padStart(digits)}  ${row.join('')}  ${kind}`;
  });
  return [
    `${title}: ${carpet.columns.length} steps, ${carpet.genLength} positions in blocks of ${carpet.blockLength}`,
    'S stable  v visible  d draft  _ invisible  . masked  r token revised in this step',
    '',
    `${'step'.padStart(digits)}  positions 0 .. ${carpet.genLength - 1}`,
    ...lines,
  ].join('\n');
}
