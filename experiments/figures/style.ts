import type { Config } from 'vega-lite';

/** Okabe and Ito's palette (jfly.uni-koeln.de/color): distinct under the common colour vision deficiencies. */
export const PALETTE = {
  black: '#000000',
  orange: '#E69F00',
  sky: '#56B4E9',
  green: '#009E73',
  yellow: '#F0E442',
  blue: '#0072B2',
  vermilion: '#D55E00',
  purple: '#CC79A7',
  grey: '#8C8C8C',
  paleGrey: '#EDEDED',
} as const;

/** For kinds of things, neighbours far apart in lightness so that grey tells them apart too. */
export const CATEGORIES = [
  PALETTE.blue,
  PALETTE.orange,
  PALETTE.black,
  PALETTE.sky,
  PALETTE.vermilion,
  PALETTE.purple,
  PALETTE.green,
  PALETTE.grey,
  PALETTE.yellow,
];

/** The family shipped by npm `dejavu-fonts-ttf`; browsers without it take Verdana, which has the same widths. */
export const FONT = 'DejaVu Sans';
export const FONT_STACK = `${FONT}, Verdana, sans-serif`;

/** Width of a figure in pixels at 96 per inch: both columns (7 in) of a two-column paper. */
export const PAGE_WIDTH = 672;

/** Plot width of a figure that fills one and a half columns with its labels. */
export const COLUMN_AND_HALF = 400;

/** Every figure is rendered to PNG at this scale: 288 pixels per inch at its paper size. */
export const PNG_SCALE = 3;

/** Quiet axes, no frame, one font, white ground (figures are pasted into papers). */
const CONFIG: Config = {
  background: '#FFFFFF',
  // One label per rectangle would be most of the file; whoever shows the figure labels it as a whole.
  aria: false,
  font: FONT_STACK,
  padding: 6,
  view: { stroke: null },
  axis: {
    labelFontSize: 9,
    titleFontSize: 9,
    titleFontWeight: 'normal',
    labelColor: '#222222',
    titleColor: '#222222',
    domainColor: '#555555',
    tickColor: '#555555',
    gridColor: '#DDDDDD',
    gridWidth: 0.6,
    // A tick and its label belong together, also at the ends.
    labelFlush: false,
  },
  axisY: { titlePadding: 8 },
  legend: {
    labelFontSize: 9,
    titleFontSize: 9,
    titleFontWeight: 'normal',
    labelColor: '#222222',
    titleColor: '#222222',
    symbolStrokeWidth: 0.8,
  },
  title: {
    fontSize: 10,
    fontWeight: 'bold',
    anchor: 'start',
    color: '#222222',
    offset: 8,
    subtitleFontSize: 9,
    subtitleColor: '#222222',
  },
  text: { fontSize: 9, color: '#222222' },
  range: { category: CATEGORIES },
};

/** What every figure begins with. */
export const HOUSE_STYLE = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  config: CONFIG,
} as const;
