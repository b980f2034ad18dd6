import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { CheckError, UsageError } from '../../src/errors.js';
import { FIGURE_WIDTHS, type Figure, type FigureWidth, layoutWidth } from './page.js';
import { TEXT } from './style.js';
import { textWidth, wrapped } from './text-width.js';

declare module 'vega' {
  /** Exported by vega (from vega-scenegraph) but missing in its typings. */
  const textMetrics: { width: (item: TextItem, text: unknown) => number };
}

interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
}

export interface FigureOptions {
  /** @defaultValue `double` */
  readonly width?: FigureWidth;
  /** Whether the title of the whole figure is drawn: a paper has it in the caption. @defaultValue true */
  readonly title?: boolean;
}

export interface DrawnFigure {
  /** Vega-Lite, laid out for the page. */
  readonly spec: TopLevelSpec;
  /** With its size on paper. */
  readonly svg: string;
  readonly widthPt: number;
  readonly heightPt: number;
}

/** Vega-Lite repairs what it does not understand and warns; a figure that is not what was asked for is an error. */
const strictLogger: vega.LoggerInterface = {
  level: () => strictLogger,
  error: fail,
  warn: fail,
  info: () => strictLogger,
  debug: () => strictLogger,
};

function fail(...messages: readonly unknown[]): never {
  throw new CheckError(`figure: ${messages.map(String).join(' ')}`);
}

/** Renders a Vega-Lite spec without a browser. Same spec, same SVG bytes. */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  vega.textMetrics.width = ({ fontSize = 11, fontWeight }, text) =>
    textWidth(String(text ?? ''), fontSize, fontWeight === 'bold' ? 'bold' : 'normal');
  // Ids of clip paths are counted per process; without this the second figure would differ from the first.
  vega.resetSVGDefIds();
  const { spec: vegaSpec } = compile(spec, { logger: strictLogger });
  const view = new vega.View(vega.parse(vegaSpec), { renderer: 'none', logger: strictLogger });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Rounds in which the plot finds its width: two where everything else keeps its size. */
const ROUNDS = 9;
/** A plot that is narrower shows nothing. */
const LEAST_PLOT = 24;
/** What a figure may be narrower than its page, in units of the layout. */
const SLACK = 2;

/**
 * Draws a figure as wide as its place on paper, with text of the same height in every figure.
 * @throws UsageError when it does not fit; CheckError when Vega-Lite does not understand it
 */
export async function drawFigure(figure: Figure, options: FigureOptions = {}): Promise<DrawnFigure> {
  const { width: place = 'double', title = true } = options;
  const { widthPt, textPt } = FIGURE_WIDTHS[place];
  const width = layoutWidth(place);
  let plot = width * 0.7;
  let spec = {} as TopLevelSpec;
  let svg = '';
  let size = { width: 0, height: 0 };
  let before = { plot: 0, room: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    spec = withLines(withTitle(figure({ width, plot }), title), width);
    svg = await renderSvg(spec);
    size = sizeOf(svg);
    const room = width - size.width;
    if (room >= 0 && room <= SLACK) break;
    const slope = round === 0 ? -1 : Math.min(-0.3, (room - before.room) / (plot - before.plot || 1));
    before = { plot, room };
    plot = Math.max(LEAST_PLOT, plot - (room - SLACK / 2) / Math.max(-2, slope));
  }
  if (size.width > width + 0.5)
    throw new UsageError(
      `this figure needs ${Math.ceil((size.width * textPt) / TEXT)} pt and its place (${place}) has ${widthPt}: take --width double, or show less`,
    );
  const heightPt = (size.height * textPt) / TEXT;
  return { spec, svg: onPaper(svg, { width, height: size.height, widthPt, heightPt }), widthPt, heightPt };
}

function withTitle(spec: TopLevelSpec, title: boolean): TopLevelSpec {
  if (title) return spec;
  const { title: _, ...rest } = spec;
  return rest as TopLevelSpec;
}

type Node = Readonly<Record<string, unknown>>;

/** Titles of figures, panels and horizontal axes broken into lines of the width of their panel. */
function withLines(spec: TopLevelSpec, width: number): TopLevelSpec {
  return broken(spec as unknown as Node, { panel: width, plot: width }) as unknown as TopLevelSpec;
}

interface Room {
  /** Of a panel with its labels. */
  readonly panel: number;
  readonly plot: number;
}

function broken(node: Node, room: Room): Node {
  const columns = Array.isArray(node.concat) ? Math.min(Number(node.columns ?? 1), node.concat.length) : 1;
  const own = { panel: room.panel / columns, plot: typeof node.width === 'number' ? node.width : room.plot };
  return Object.fromEntries(
    Object.entries(node).map(([key, value]): [string, unknown] => {
      if (key === 'title' && node.config !== undefined) return [key, titleLines(value, room.panel - 6)];
      if (key === 'title' && ('layer' in node || 'mark' in node))
        return [key, titleLines(value, room.panel - 6)];
      if (key === 'data' || key === 'config') return [key, value];
      if (key === 'x' && isNode(value) && isNode(value.axis) && typeof value.axis.title === 'string')
        return [key, { ...value, axis: axisLines(value.axis, own) }];
      if (Array.isArray(value)) return [key, value.map((each) => (isNode(each) ? broken(each, own) : each))];
      return [key, isNode(value) ? broken(value, own) : value];
    }),
  );
}

/** A title wider than its plot ends with it and reaches under the names of the rows. */
function axisLines(axis: Node, { panel, plot }: Room): Node {
  const title = String(axis.title);
  if (textWidth(title, TEXT) <= plot) return axis;
  return { ...axis, title: wrapped(title, plot + (panel - plot) * 0.25, TEXT), titleAnchor: 'end' };
}

function titleLines(title: unknown, width: number): unknown {
  if (title === null) return null;
  const { text, subtitle, ...others } = isNode(title) ? title : { text: title, subtitle: undefined };
  const lines = (value: unknown, weight: 'normal' | 'bold') =>
    [value].flat().flatMap((line) => wrapped(String(line), width, TEXT, weight));
  return {
    ...others,
    text: lines(text, 'bold'),
    ...(subtitle === undefined ? {} : { subtitle: lines(subtitle, 'normal') }),
  };
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const ROOT = /^<svg([^>]*?) width="([\d.]+)" height="([\d.]+)" viewBox="0 0 [\d.]+ [\d.]+"/;

function sizeOf(svg: string): { width: number; height: number } {
  const found = ROOT.exec(svg);
  if (found === null) throw new CheckError('figure: the drawing has no size');
  return { width: Number(found[2]), height: Number(found[3]) };
}

/** Page as the view box, size in points: whoever places the figure places it at its size in print. */
function onPaper(
  svg: string,
  { width, height, widthPt, heightPt }: { width: number; height: number; widthPt: number; heightPt: number },
): string {
  return svg.replace(
    ROOT,
    `<svg$1 width="${widthPt}pt" height="${round(heightPt)}pt" viewBox="0 0 ${width} ${height}"`,
  );
}

const round = (value: number): number => Math.round(value * 100) / 100;
