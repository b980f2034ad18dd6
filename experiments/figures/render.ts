import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { CheckError } from '../../src/errors.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { FONT, PNG_SCALE } from './style.js';

declare module 'vega' {
  /** Exported by vega (from vega-scenegraph) but missing in its typings. */
  const textMetrics: { width: (item: TextItem, text: unknown) => number };
}

interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
}

const fontDirectory = join(
  dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')),
  'ttf',
);

/** Only the shipped font is loaded, so that a figure has the same pixels on every machine. */
const fonts = {
  fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => join(fontDirectory, file)),
  loadSystemFonts: false,
  defaultFontFamily: FONT,
};

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
  vega.textMetrics.width = measure;
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

/** Rasterises at {@link PNG_SCALE}. */
export function renderPng(svg: string): Uint8Array {
  return new Resvg(svg, { font: fonts, fitTo: { mode: 'zoom', value: PNG_SCALE } }).render().asPng();
}

/** Writes `<base>.vl.json`, `<base>.svg` and `<base>.png`, each atomically. Returns the paths. */
export async function writeFigure(base: string, spec: TopLevelSpec): Promise<string[]> {
  const svg = await renderSvg(spec);
  const files: [string, string | Uint8Array][] = [
    [`${base}.vl.json`, `${JSON.stringify(spec, null, 1)}\n`],
    [`${base}.svg`, `${svg}\n`],
    [`${base}.png`, renderPng(svg)],
  ];
  for (const [path, content] of files) atomicWriteFile(path, content);
  return files.map(([path]) => path);
}

const widths = new Map<string, number>();

/**
 * Width of a text in pixels, measured with the font that will draw it. Vega has no canvas here and would guess
 * 0.8 em per character, which pushes titles and legends far from what they belong to.
 */
function measure(item: TextItem, text: unknown): number {
  const size = item.fontSize ?? 11;
  const weight = item.fontWeight ?? 'normal';
  const content = String(text ?? '');
  const key = `${size}|${weight}|${content}`;
  let width = widths.get(key);
  if (width === undefined) {
    const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" width="4000" height="99"><text y="50" ` +
      `font-family="${FONT}" font-size="${size}" font-weight="${weight}">${escaped}</text></svg>`;
    width = Math.round((new Resvg(svg, { font: fonts }).getBBox()?.width ?? 0) * 100) / 100;
    widths.set(key, width);
  }
  return width;
}
