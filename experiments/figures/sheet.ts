import type { DrawnFigure } from './render.js';
import { FONT_STACK, QUIET } from './style.js';

/** US Letter, upright, in points. */
const [WIDTH, HEIGHT] = [612, 792];
const MARGIN = 30;
/** Of a caption. */
const CAPTION = 7;
const GAP = 10;

interface Placed {
  readonly name: string;
  readonly drawn: DrawnFigure;
  readonly x: number;
  readonly y: number;
}

/** Figures at the size they have in print, on as many pages as they need, each under its name. */
export function contactSheet(
  figures: readonly { readonly name: string; readonly drawn: DrawnFigure }[],
): Pick<DrawnFigure, 'svg' | 'widthPt' | 'heightPt'>[] {
  return pagesOf(figures).map((placed, page) => ({
    svg: pageSvg(placed, page),
    widthPt: WIDTH,
    heightPt: HEIGHT,
  }));
}

/** Rows from the top, figures of a row side by side while they fit. */
function pagesOf(figures: readonly { readonly name: string; readonly drawn: DrawnFigure }[]): Placed[][] {
  const pages: Placed[][] = [[]];
  let [x, y, row] = [MARGIN, MARGIN, 0];
  for (const { name, drawn } of figures) {
    const height = drawn.heightPt + CAPTION + GAP;
    if (x > MARGIN && x + drawn.widthPt > WIDTH - MARGIN) [x, y, row] = [MARGIN, y + row, 0];
    if (y > MARGIN && y + height > HEIGHT - MARGIN) {
      pages.push([]);
      [x, y, row] = [MARGIN, MARGIN, 0];
    }
    pages[pages.length - 1]?.push({ name, drawn, x, y });
    x += drawn.widthPt + GAP;
    row = Math.max(row, height);
  }
  return pages;
}

function pageSvg(placed: readonly Placed[], page: number): string {
  const parts = placed.map(({ name, drawn, x, y }, i) => {
    const own = `p${page}f${i}-`;
    // Two figures number their clip paths alike, and a document has one space of ids.
    const body = drawn.svg
      .replace(/\bid="([^"]+)"/g, `id="${own}$1"`)
      .replace(/url\(#([^)]+)\)/g, `url(#${own}$1)`)
      .replace(/^<svg[^>]*? viewBox="([^"]+)"[^>]*>/, (_, box: string) => {
        const { widthPt, heightPt } = drawn;
        return `<svg x="${x}" y="${y + CAPTION + 2}" width="${widthPt}" height="${heightPt}" viewBox="${box}">`;
      });
    return `<text x="${x}" y="${y + CAPTION - 2}" font-family="${FONT_STACK}" font-size="${CAPTION - 1}" fill="${QUIET}">${name}</text>${body}`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${WIDTH}pt" height="${HEIGHT}pt" viewBox="0 0 ${WIDTH} ${HEIGHT}">` +
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#FFFFFF"/>${parts.join('')}</svg>`
  );
}
