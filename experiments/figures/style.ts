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

/** The font of npm `dejavu-fonts-ttf`; browsers without it take Arial, whose letters are a little narrower. */
export const FONT = 'DejaVu Sans Condensed';
export const FONT_STACK = `${FONT}, Arial, Helvetica, sans-serif`;

/** Height of all text, in the unit of a layout: 8 pt in a paper. */
export const TEXT = 8;

/** Ink of text that is no data and no axis. */
export const QUIET = '#555555';

/**
 * Names of rows take the left: a legend ends with the plot and reaches under them. Vega-Lite hands this to Vega, though
 * its types leave it out.
 */
const LEGEND_LAYOUT: object = { layout: { bottom: { anchor: 'end', direction: 'vertical', margin: 4 } } };

/** Quiet axes, no frame, one font, white ground (figures are pasted into papers). */
const CONFIG: Config = {
  background: '#FFFFFF',
  // One label per rectangle would be most of the file; whoever shows the figure labels it as a whole.
  aria: false,
  font: FONT_STACK,
  padding: 2,
  view: { stroke: null },
  axis: {
    labelFontSize: TEXT,
    titleFontSize: TEXT,
    titleFontWeight: 'normal',
    titlePadding: 4,
    labelColor: '#222222',
    titleColor: '#222222',
    domainColor: '#555555',
    tickColor: '#555555',
    tickSize: 3,
    labelPadding: 2,
    gridColor: '#DDDDDD',
    gridWidth: 0.5,
    domainWidth: 0.6,
    tickWidth: 0.6,
    labelLimit: 0,
    titleLimit: 0,
    // A tick and its label belong together, also at the ends.
    labelFlush: false,
  },
  legend: {
    labelFontSize: TEXT,
    titleFontSize: TEXT,
    titleFontWeight: 'normal',
    labelColor: '#222222',
    titleColor: '#222222',
    symbolStrokeWidth: 0.8,
    symbolSize: 36,
    rowPadding: 2,
    labelOffset: 3,
    titleLimit: 0,
    labelLimit: 0,
    ...LEGEND_LAYOUT,
  },
  title: {
    fontSize: TEXT,
    fontWeight: 'bold',
    anchor: 'start',
    // Over the names of the rows too.
    frame: 'bounds',
    color: '#222222',
    offset: 5,
    limit: 0,
    lineHeight: 10,
    subtitleFontSize: TEXT,
    subtitleLineHeight: 10,
    subtitleColor: '#222222',
  },
  text: { fontSize: TEXT, color: '#222222' },
  range: { category: CATEGORIES },
};

/** What every figure begins with. */
export const HOUSE_STYLE = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  config: CONFIG,
} as const;
