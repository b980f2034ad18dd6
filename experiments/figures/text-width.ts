import widths from './glyph-widths.json' with { type: 'json' };

type Weight = keyof typeof widths;

/** Advances of the shipped font in thousandths of its size, read from its files. */
const ADVANCES: Readonly<Record<Weight, Readonly<Record<string, number>>>> = widths;

/** Of characters that the table does not have: as wide as the widest common letters. */
const UNKNOWN = 900;

/**
 * Width of a line in the unit of its size. Kerning is left out, so that a text is at most a few percent narrower.
 * The table is here because Vega has no canvas outside a browser and would guess 0.8 em for every character.
 */
export function textWidth(text: string, size: number, weight: Weight = 'normal'): number {
  const advances = ADVANCES[weight];
  let sum = 0;
  for (const character of text) sum += advances[character] ?? UNKNOWN;
  return (sum * size) / 1000;
}

/** Lines of at most a width, broken between words; a word that is wider alone stays whole. */
export function wrapped(text: string, width: number, size: number, weight: Weight = 'normal'): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines[lines.length - 1]} ${word}`;
    if (lines.length === 0 || textWidth(longer, size, weight) > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
