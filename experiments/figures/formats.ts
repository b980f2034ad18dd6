import { Resvg } from '@resvg/resvg-js';
import PDFDocument from 'pdfkit';
import svgToPdf from 'svg-to-pdfkit';
import { CheckError } from '../../src/errors.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { FONT_FILES, isHouseFont, RASTER_FONTS } from './fonts.js';
import type { Figure } from './page.js';
import { type DrawnFigure, drawFigure, type FigureOptions } from './render.js';

/** Pixels per inch of every PNG. */
export const PNG_DPI = 300;
/** Pixels per inch of CSS, in which the rasteriser reads lengths. */
const CSS_DPI = 96;

/** Rasterises an SVG that has its size on paper. */
export function renderPng(svg: string, dpi = PNG_DPI): Uint8Array {
  const png = new Resvg(svg, { font: RASTER_FONTS, fitTo: { mode: 'zoom', value: dpi / CSS_DPI } });
  return withResolution(png.render().asPng(), dpi);
}

/** Length of the signature and the header chunk of a PNG. */
const HEADER_BYTES = 33;

/** A PNG that says how large it is on paper (chunk `pHYs`; PNG specification, section 11.3.4.3). */
function withResolution(png: Uint8Array, dpi: number): Uint8Array {
  const chunk = Buffer.alloc(21);
  chunk.writeUInt32BE(9, 0);
  chunk.write('pHYs', 4, 'latin1');
  const perMetre = Math.round(dpi / 0.0254);
  chunk.writeUInt32BE(perMetre, 8);
  chunk.writeUInt32BE(perMetre, 12);
  chunk.writeUInt8(1, 16);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 17)), 17);
  return Buffer.concat([png.subarray(0, HEADER_BYTES), chunk, png.subarray(HEADER_BYTES)]);
}

/** CRC-32 of a PNG chunk (PNG specification, annex D). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Moment that a PDF says it was made at: same figure, same bytes. */
const NO_MOMENT = new Date('2000-01-01T00:00:00Z');

/** Figures as vectors with their font inside, one page each, as large as printed. */
export async function renderPdf(
  pages: readonly Pick<DrawnFigure, 'svg' | 'widthPt' | 'heightPt'>[],
): Promise<Uint8Array> {
  const document = new PDFDocument({
    autoFirstPage: false,
    info: { Producer: 'dllm-npu', Creator: 'dllm-npu', CreationDate: NO_MOMENT },
  });
  const parts: Buffer[] = [];
  document.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise<void>((resolve, reject) => document.on('end', resolve).on('error', reject));
  for (const [name, file] of Object.entries(FONT_FILES)) document.registerFont(name, file);
  for (const { svg, widthPt, heightPt } of pages) {
    document.addPage({ size: [widthPt, heightPt], margin: 0 });
    svgToPdf(document, svg, 0, 0, {
      width: widthPt,
      height: heightPt,
      assumePt: true,
      fontCallback: (family, bold) => {
        if (!isHouseFont(family)) throw new CheckError(`figure: no font ${family} to write into a PDF`);
        return bold ? 'bold' : 'normal';
      },
      warningCallback: (warning) => {
        throw new CheckError(`figure: as a PDF: ${warning}`);
      },
    });
  }
  document.end();
  await ended;
  return Buffer.concat(parts);
}

/** Writes `<base>.vl.json`, `.svg`, `.pdf` and `.png`, each atomically. Returns the paths. */
export async function writeFigure(
  base: string,
  figure: Figure,
  options: FigureOptions = {},
): Promise<string[]> {
  const drawn = await drawFigure(figure, options);
  const files: [string, string | Uint8Array][] = [
    [`${base}.vl.json`, `${JSON.stringify(drawn.spec, null, 1)}\n`],
    [`${base}.svg`, `${drawn.svg}\n`],
    [`${base}.pdf`, await renderPdf([drawn])],
    [`${base}.png`, renderPng(drawn.svg)],
  ];
  for (const [path, content] of files) atomicWriteFile(path, content);
  return files.map(([path]) => path);
}
