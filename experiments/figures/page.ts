import type { TopLevelSpec } from 'vega-lite';
import { TEXT } from './style.js';
import { textWidth, wrapped } from './text-width.js';

/**
 * Where a figure is printed: one column or both of a two-column paper (3.33 in and 7 in, ACM's and IEEE's columns
 * within 0.02 in), or a slide of 13.33 in by 7.5 in with a margin. Widths and text sizes in points.
 */
export const FIGURE_WIDTHS = {
  single: { widthPt: 240, textPt: 8 },
  double: { widthPt: 504, textPt: 8 },
  slide: { widthPt: 864, textPt: 18 },
} as const;

export type FigureWidth = keyof typeof FIGURE_WIDTHS;

/** Paper that a figure is laid out on, in units of which {@link TEXT} are the height of its text. */
export interface Page {
  /** Of the whole figure. */
  readonly width: number;
  /** What is left of the width beside axes, labels and legends: found by drawing. */
  readonly plot: number;
}

/** A figure for paper of any width. */
export type Figure = (page: Page) => TopLevelSpec;

/** Page width in the units of the layout. */
export function layoutWidth(width: FigureWidth): number {
  const { widthPt, textPt } = FIGURE_WIDTHS[width];
  return Math.floor((widthPt * TEXT) / textPt);
}

/** How many panels of at least a width stand side by side. */
export function panelColumns(page: Page, panels: number, least: number): number {
  return Math.max(1, Math.min(panels, Math.floor(page.width / least)));
}

/** A legend under the plot, in as many columns as the page holds. */
export function legendBelow(page: Page, labels: readonly string[]) {
  const symbol = 26;
  const widest = Math.max(...labels.map((label) => textWidth(label, TEXT)));
  return {
    title: null,
    orient: 'bottom',
    columns: Math.max(1, Math.min(labels.length, Math.floor(page.width / (widest + symbol)))),
    labelLimit: 0,
    columnPadding: 10,
    offset: 6,
  } as const;
}

/** Share of a panel's width that the names of its rows may take. */
const NAMES_SHARE = 0.52;
const ROW = 12;
const LINE = 9;

/** Names of rows, broken into lines where they are long: the names, what their axis needs, the height of a row. */
export function rowNames(names: readonly string[], page: Page, columns = 1) {
  const lines = names.map((name) => wrapped(name, (page.width / columns) * NAMES_SHARE, TEXT));
  const most = Math.max(...lines.map(({ length }) => length));
  return {
    texts: lines.map((each) => each.join('\n')),
    axis:
      most > 1
        ? ({
            labelExpr: "split(datum.label, '\\n')",
            labelLineHeight: LINE,
            labelBaseline: 'middle',
          } as const)
        : {},
    step: ROW + (most - 1) * LINE,
  };
}
