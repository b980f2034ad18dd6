import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import { drawFigure } from '../../experiments/figures/render.ts';
import { HOUSE_STYLE } from '../../experiments/figures/style.ts';

/** Text of 8 units, as figures have it, in pixels of a page. */
const SCALE = 1.6;

/**
 * A Vega-Lite chart in the house style of the figures, as SVG; a pointer on a mark shows its values.
 * @param {import('vega-lite').TopLevelSpec} spec sizes in units of which text has 8
 * @returns {Promise<HTMLElement>}
 */
export async function chart(spec) {
  const frame = framed();
  const config = { ...HOUSE_STYLE.config, mark: { tooltip: { content: 'encoding' } }, ...spec.config };
  const { spec: compiled } = compile({ ...spec, config });
  await new View(parse(compiled), { renderer: 'svg', hover: true }).initialize(frame).runAsync();
  const svg = frame.querySelector('svg');
  for (const side of ['width', 'height']) svg.setAttribute(side, SCALE * Number(svg.getAttribute(side)));
  return frame;
}

/**
 * A figure of `experiments/figures` as it is printed across a page; a pointer on a mark shows what it is.
 * @param {import('../../experiments/figures/page.ts').Figure} figure
 * @returns {Promise<HTMLElement>}
 */
export async function figure(drawn) {
  const frame = framed();
  const { svg, widthPt, heightPt } = await drawFigure(drawn);
  frame.innerHTML = svg;
  const root = frame.querySelector('svg');
  root.classList.add('marks');
  root.setAttribute('width', SCALE * widthPt);
  root.setAttribute('height', SCALE * heightPt);
  for (const mark of root.querySelectorAll('path[aria-label]')) {
    const title = document.createElementNS('http://www.w3.org/2000/svg', 'title');
    title.textContent = mark.getAttribute('aria-label').replaceAll('; ', '\n');
    mark.appendChild(title);
  }
  return frame;
}

function framed() {
  const frame = document.createElement('div');
  frame.style.overflowX = 'auto';
  return frame;
}

/**
 * A choice for `view()`: the page below it follows.
 * @template Value
 * @param {string} label
 * @param {readonly Value[]} values
 * @param {{ value?: Value, text?: (value: Value) => string }} [options]
 * @returns {HTMLElement & { value: Value }}
 */
export function choice(label, values, { value = values[0], text = String } = {}) {
  const form = document.createElement('label');
  form.style.display = 'block';
  const select = document.createElement('select');
  for (const each of values) select.add(new Option(text(each)));
  select.selectedIndex = Math.max(0, values.indexOf(value));
  form.append(`${label}: `, select);
  Object.defineProperty(form, 'value', {
    get: () => values[select.selectedIndex],
    set: (wanted) => {
      select.selectedIndex = values.indexOf(wanted);
    },
  });
  return form;
}

/**
 * A file of the reader's own for `view()`: its text, null before one is chosen. Nothing leaves the page.
 * @param {string} label
 * @returns {HTMLElement & { value: { name: string, text: string } | null }}
 */
export function ownFile(label) {
  const form = document.createElement('label');
  form.style.display = 'block';
  const input = document.createElement('input');
  input.type = 'file';
  form.append(`${label}: `, input);
  form.value = null;
  input.addEventListener('input', (event) => event.stopPropagation());
  input.addEventListener('change', async () => {
    const [file] = input.files;
    if (file === undefined) return;
    const bytes = file.name.endsWith('.gz')
      ? file.stream().pipeThrough(new DecompressionStream('gzip'))
      : file.stream();
    form.value = { name: file.name, text: await new Response(bytes).text() };
    form.dispatchEvent(new Event('input', { bubbles: true }));
  });
  return form;
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
