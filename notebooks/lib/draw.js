import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import { HOUSE_STYLE } from '../../experiments/figures/style.ts';

/**
 * A Vega-Lite chart in the house style of the figures, as SVG.
 * @param {import('vega-lite').TopLevelSpec} spec
 * @returns {Promise<HTMLElement>}
 */
export async function chart(spec) {
  const frame = document.createElement('div');
  frame.style.overflowX = 'auto';
  const { spec: compiled } = compile({ ...spec, config: { ...HOUSE_STYLE.config, ...spec.config } });
  await new View(parse(compiled), { renderer: 'svg', hover: true }).initialize(frame).runAsync();
  return frame;
}

/**
 * A table: `columns` maps a heading to what a row shows under it.
 * @template Row
 * @param {readonly Row[]} rows
 * @param {Record<string, (row: Row) => string | number>} columns
 * @returns {HTMLTableElement}
 */
export function table(rows, columns) {
  const element = document.createElement('table');
  const cells = (line, kind, texts) => {
    for (const text of texts) line.appendChild(document.createElement(kind)).textContent = String(text);
  };
  cells(element.createTHead().insertRow(), 'th', Object.keys(columns));
  const body = element.createTBody();
  for (const row of rows) {
    cells(
      body.insertRow(),
      'td',
      Object.values(columns).map((show) => show(row)),
    );
  }
  return element;
}

/**
 * Lines of text as a list.
 * @param {readonly string[]} notes
 * @returns {HTMLElement}
 */
export function list(notes) {
  const element = document.createElement('ul');
  for (const note of notes) element.appendChild(document.createElement('li')).textContent = note;
  return element;
}

/** @param {number} share */
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;
/** @param {number | null} factor */
export const times = (factor) => (factor === null ? '–' : `${factor.toFixed(2)}×`);
/** @param {number} p */
export const pValue = (p) => (p < 0.001 ? '< 0.001' : p.toFixed(3));
