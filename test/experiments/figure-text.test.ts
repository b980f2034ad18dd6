import { Resvg } from '@resvg/resvg-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RASTER_FONTS } from '../../experiments/figures/fonts.js';
import { drawFigure } from '../../experiments/figures/render.js';
import { spread } from '../../experiments/figures/spread.js';
import { FONT, HOUSE_STYLE } from '../../experiments/figures/style.js';
import { textWidth, wrapped } from '../../experiments/figures/text-width.js';

/** What the rasteriser says, of a text between two marks: white at the ends has no box. */
function drawnWidth(text: string, weight: 'normal' | 'bold'): number {
  const box = (content: string) =>
    new Resvg(
      `<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="200"><text y="100" font-family="${FONT}" ` +
        `font-size="100" font-weight="${weight}">${content}</text></svg>`,
      { font: RASTER_FONTS },
    ).getBBox()?.width ?? 0;
  return (box(`|${text}|`) - box('||')) / 100;
}

describe('widths of texts', () => {
  it.each(['normal', 'bold'] as const)('are those of the font as it is drawn (%s)', (weight) => {
    for (const text of [
      'seconds for one answer',
      'NPU + prefix KV, 128 tokens',
      '7.43× faster, −10 %',
      'µs °',
    ])
      expect(textWidth(text, 1, weight) / drawnWidth(text, weight)).toBeCloseTo(1, 1);
  });

  it('bound the lines of a wrapped text, which keeps its words', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 60, max: 300 }),
        (words, width) => {
          const lines = wrapped(words.join(' '), width, 8);
          expect(lines.join(' ')).toBe(words.join(' '));
          for (const line of lines) expect(textWidth(line, 8)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});

describe('spread', () => {
  it('keeps the order, leaves a gap, and stays inside where there is room', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 9 }), (positions) => {
        const placed = spread(positions, 10, [0, 100]);
        const order = positions.map((_, i) => i).sort((a, b) => positions[a] - positions[b] || a - b);
        for (const [at, i] of order.entries()) {
          expect(placed[i]).toBeGreaterThanOrEqual(0);
          expect(placed[i]).toBeLessThanOrEqual(100);
          if (at > 0) expect(placed[i] - placed[order[at - 1]]).toBeGreaterThanOrEqual(10 - 1e-9);
        }
      }),
    );
  });
});

it('a figure that does not fit its place is refused', async () => {
  const wide = () => ({
    ...HOUSE_STYLE,
    width: 700,
    data: { values: [{ a: 1 }] },
    mark: 'bar' as const,
    encoding: { x: { field: 'a', type: 'quantitative' as const } },
  });
  await expect(drawFigure(wide, { width: 'single' })).rejects.toThrow(
    /needs \d+ pt and its place \(single\) has 240/,
  );
});
