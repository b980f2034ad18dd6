import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FONT } from './style.js';

const directory = join(
  dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')),
  'ttf',
);

/** The only fonts that figures are drawn with, so that they are the same on every machine. */
export const FONT_FILES = {
  normal: join(directory, 'DejaVuSansCondensed.ttf'),
  bold: join(directory, 'DejaVuSansCondensed-Bold.ttf'),
} as const;

/** For the rasteriser. The files call their family `DejaVu Sans`, which the default stands in for. */
export const RASTER_FONTS = {
  fontFiles: Object.values(FONT_FILES),
  loadSystemFonts: false,
  defaultFontFamily: 'DejaVu Sans',
};

/** Whether a font-family list begins with the font of the figures. */
export const isHouseFont = (family: string): boolean => family.replaceAll('"', '').startsWith(FONT);
