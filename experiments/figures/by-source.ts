import { legendBelow, type Page } from './page.js';
import { PALETTE } from './style.js';

/** What was computed here, what was published. */
export const OURS = 'here';
export const PAPER = 'paper';

/** One colour and one shape each for what was computed here and what was published: legible in grey. */
export const bySource = (page: Page) =>
  ({
    field: 'source',
    type: 'nominal',
    scale: { domain: [OURS, PAPER], range: [PALETTE.blue, PALETTE.vermilion] },
    legend: {
      ...legendBelow(page, [OURS, PAPER]),
      encoding: {
        symbols: {
          opacity: { value: 1 },
          shape: { value: { expr: `datum.label === '${PAPER}' ? 'diamond' : 'circle'` } },
        },
      },
    },
  }) as const;

/** Whether a value exists: neither left out nor the mean of nothing. */
export function isKnown(value: number | null | undefined): value is number {
  return Number.isFinite(value);
}
