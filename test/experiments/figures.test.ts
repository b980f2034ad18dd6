import fc from 'fast-check';
import type { TopLevelSpec } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { carpetFigure, STATE_COLORS } from '../../experiments/figures/carpet.js';
import { renderPdf, renderPng } from '../../experiments/figures/formats.js';
import { ladderFigure } from '../../experiments/figures/ladder.js';
import type { Figure } from '../../experiments/figures/page.js';
import { type DrawnFigure, drawFigure, renderSvg } from '../../experiments/figures/render.js';
import {
  busyMs,
  familyOf,
  mergeSpans,
  middleLayer,
  timelineFigure,
} from '../../experiments/figures/timeline.js';
import type { TimelineSpan } from '../../experiments/studies/ladder/types.js';
import { syntheticCarpet, syntheticSummary, syntheticTimeline } from '../support/synthetic-summary.js';

const PAGE = { width: 504, plot: 350 };

const figures: [string, () => Figure][] = [
  ['ladder', () => ladderFigure(syntheticSummary())],
  ['carpet', () => carpetFigure(syntheticCarpet())],
  ['timeline', () => timelineFigure(syntheticTimeline())],
];

const pictures = new Map<string, Promise<DrawnFigure>>();
/** Each picture is drawn once, but where it is drawn again. */
function drawn(name: string, figure: () => Figure): Promise<DrawnFigure> {
  const found = pictures.get(name) ?? drawFigure(figure());
  pictures.set(name, found);
  return found;
}

describe.each(figures)('%s figure', (name, figure) => {
  it('is the same every time, also after other figures were drawn', async () => {
    const first = await drawn(name, figure);
    await drawn(...figures[(figures.findIndex(([other]) => other === name) + 1) % figures.length]);
    const again = await drawFigure(figure());
    expect(again.svg).toBe(first.svg);
    // As it is written: Vega numbers the data in memory.
    expect(JSON.stringify(again.spec)).toBe(JSON.stringify(first.spec));
  });

  it('survives JSON: the written spec draws the same picture', async () => {
    const { spec, svg } = await drawn(name, figure);
    const inside = (text: string): string => text.replace(/^<svg[^>]*>/, '');
    expect(inside(await renderSvg(JSON.parse(JSON.stringify(spec))))).toBe(inside(svg));
  });

  it('becomes a PNG at print resolution with its text drawn', async () => {
    const { svg } = await drawn(name, figure);
    const png = Buffer.from(renderPng(svg));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    // 7 in at 300 pixels per inch, and the file says so.
    expect(png.readUInt32BE(16)).toBe(2100);
    expect(png.subarray(37, 41).toString()).toBe('pHYs');
    expect(png.readUInt32BE(41)).toBe(11811);
    // The font is loaded, or a figure without its text would be about as large as this one.
    const silent = renderPng(svg.replace(/<text[^>]*>[^<]*<\/text>/g, ''));
    expect(png.length).toBeGreaterThan(silent.length * 1.05);
  });

  it('becomes the same PDF every time, with the font in it', async () => {
    const page = await drawn(name, figure);
    const pdf = Buffer.from(await renderPdf([page]));
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    const text = pdf.toString('latin1');
    expect(text).toContain('/MediaBox [0 0 504 ');
    expect(text).toMatch(/\/FontName \/[A-Z]{6}\+DejaVuSansCondensed/);
    expect(Buffer.from(await renderPdf([page])).equals(pdf)).toBe(true);
  });
});

describe('renderSvg', () => {
  it('refuses a spec that Vega-Lite would silently repair', async () => {
    const spec: TopLevelSpec = {
      data: { values: [{ a: 1 }] },
      mark: 'bar',
      encoding: { x: { field: 'a', type: 'quantitative' }, shape: { field: 'a', type: 'nominal' } },
    };
    await expect(renderSvg(spec)).rejects.toThrow(/^figure: .*shape/);
  });
});

describe('ladder figure', () => {
  it('carries the numbers of the summary, one bar per row', () => {
    const { data } = ladderFigure(syntheticSummary())(PAGE);
    expect(data).toMatchObject({
      values: syntheticSummary().rows.map((row) => ({
        name: row.name,
        ours: row.latency_s.median,
        low: row.latency_s.low,
        high: row.latency_s.high,
        paper: row.paper_s,
      })),
    });
  });

  it('states no speed-up for a failed row and leaves out a missing paper value', async () => {
    const summary = syntheticSummary();
    const rows = summary.rows.map((row, index) =>
      index === 4
        ? { ...row, paper_s: null, token_exact: { verdict: 'diverges' as const, against: 'CPU + prefix KV' } }
        : row,
    );
    const { svg } = await drawFigure(ladderFigure({ ...summary, rows }));
    expect(svg).toContain('>failed<');
    const diamonds = (text: string) => text.split('#D55E00').length - 1;
    expect(diamonds(svg)).toBe(diamonds((await drawn(...figures[0])).svg) - 1);
  });
});

describe('carpet figure', () => {
  it('covers every cell once', () => {
    const carpet = syntheticCarpet(48, 16);
    const spec = carpetFigure(carpet)(PAGE);
    const [cells] = (spec as unknown as { layer: { data: { values: CarpetRun[] } }[] }).layer;
    const seen = carpet.steps.map(() => new Array<number>(carpet.genLength).fill(0));
    for (const { step, next, start, end } of cells!.data.values) {
      expect(next).toBe(step + 1);
      for (let p = start; p < end; p++) seen[step]![p]! += 1;
    }
    expect(seen.flat().every((times) => times === 1)).toBe(true);
  });

  it('orders the states by darkness, so that a grey print can be read', () => {
    const luminance = (hex: string) => {
      const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const values = [STATE_COLORS.M, STATE_COLORS.I, STATE_COLORS.D, STATE_COLORS.V, STATE_COLORS.S].map(
      luminance,
    );
    for (let i = 1; i < values.length; i++) expect(values[i - 1]! - values[i]!).toBeGreaterThan(25);
  });
});

interface CarpetRun {
  readonly step: number;
  readonly next: number;
  readonly start: number;
  readonly end: number;
}

describe('timeline figure', () => {
  const spans = fc
    .array(
      fc.record({
        lane: fc.constantFrom('dma', 'matrix'),
        group: fc.constantFrom('q', 'down', 'unheard-of'),
        gap: fc.double({ min: 0, max: 3, noNaN: true }),
        length: fc.double({ min: 0.1, max: 5, noNaN: true }),
        busyShare: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
      }),
      { maxLength: 40 },
    )
    .map((list) => {
      const clock = new Map<string, number>();
      return list.map(({ lane, group, gap, length, busyShare }): TimelineSpan => {
        const startMs = (clock.get(lane) ?? 0) + gap;
        clock.set(lane, startMs + length);
        return { lane, name: group, group, layer: null, startMs, endMs: startMs + length, busyShare };
      });
    });

  it('merging keeps busy time and order, and never overlaps', () => {
    fc.assert(
      fc.property(spans, fc.double({ min: 0, max: 2, noNaN: true }), (list, gapMs) => {
        const merged = mergeSpans(list, gapMs);
        for (const lane of ['dma', 'matrix']) {
          const own = merged.filter((span) => span.lane === lane);
          const before = list.filter((span) => span.lane === lane);
          const sum = (all: readonly TimelineSpan[]) => all.reduce((total, span) => total + busyMs(span), 0);
          expect(sum(own)).toBeCloseTo(sum(before), 6);
          for (let i = 1; i < own.length; i++)
            expect(own[i]!.startMs).toBeGreaterThanOrEqual(own[i - 1]!.endMs);
        }
      }),
    );
  });

  it('does not change its input', () => {
    const timeline = syntheticTimeline();
    timelineFigure(timeline)(PAGE);
    expect(timeline).toEqual(syntheticTimeline());
  });

  it('enlarges the middle layer, if there are layers', () => {
    expect(middleLayer(syntheticTimeline(32))).toMatchObject({ layer: 16, startMs: 224 });
    const flat = { ...syntheticTimeline(1), spans: [{ ...syntheticTimeline(1).spans.at(-1)!, layer: null }] };
    expect(middleLayer(flat)).toBeNull();
  });

  it('has a family for every kind of work, `other` for the unknown', () => {
    expect(familyOf('down')).toBe('feed-forward');
    expect(familyOf('unheard-of')).toBe('other');
  });
});
