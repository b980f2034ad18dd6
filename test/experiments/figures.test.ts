import fc from 'fast-check';
import type { TopLevelSpec } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { carpetSpec, STATE_COLORS } from '../../experiments/figures/carpet.js';
import { ladderSpec } from '../../experiments/figures/ladder.js';
import { renderPng, renderSvg } from '../../experiments/figures/render.js';
import {
  busyMs,
  familyOf,
  mergeSpans,
  middleLayer,
  timelineSpec,
} from '../../experiments/figures/timeline.js';
import type { TimelineSpan } from '../../experiments/studies/ladder/types.js';
import { syntheticCarpet, syntheticSummary, syntheticTimeline } from '../support/synthetic-summary.js';

const figures: [string, () => TopLevelSpec][] = [
  ['ladder', () => ladderSpec(syntheticSummary())],
  ['carpet', () => carpetSpec(syntheticCarpet())],
  ['timeline', () => timelineSpec(syntheticTimeline())],
];

describe.each(figures)('%s figure', (_, spec) => {
  it('is the same every time, also after other figures were drawn', async () => {
    const first = await renderSvg(spec());
    await renderSvg(ladderSpec(syntheticSummary()));
    expect(await renderSvg(spec())).toBe(first);
  });

  it('survives JSON: the written spec draws the same picture', async () => {
    const written = JSON.parse(JSON.stringify(spec())) as TopLevelSpec;
    expect(await renderSvg(written)).toBe(await renderSvg(spec()));
  });

  it('becomes a PNG at print resolution with its text drawn', async () => {
    const svg = await renderSvg(spec());
    const png = Buffer.from(renderPng(svg));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.readUInt32BE(16)).toBeGreaterThan(1500);
    // The font is loaded, or a figure without its text would be about as large as this one.
    const silent = renderPng(svg.replace(/<text[^>]*>[^<]*<\/text>/g, ''));
    expect(png.length).toBeGreaterThan(silent.length * 1.05);
  });
});

// Compiled specs are plain data and the same everywhere; SVG and PNG are not kept.
describe('golden specs (of synthetic data; renew with vitest -u after looking at the figures)', () => {
  it.each([
    ['ladder', () => ladderSpec(syntheticSummary())],
    ['carpet', () => carpetSpec(syntheticCarpet(16, 8))],
    ['timeline', () => timelineSpec(syntheticTimeline(2))],
  ])('%s', async (name, spec) => {
    await expect(`${JSON.stringify(spec(), null, 1)}\n`).toMatchFileSnapshot(
      `../golden/figures/${name}.vl.json`,
    );
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
    const { data } = ladderSpec(syntheticSummary());
    expect(data).toMatchObject({
      values: syntheticSummary().rows.map((row) => ({
        name: row.name,
        median: row.latency_s.median,
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
    const svg = await renderSvg(ladderSpec({ ...summary, rows }));
    expect(svg).toContain('>failed<');
    const diamonds = (text: string) => text.split('#D55E00').length - 1;
    expect(diamonds(svg)).toBe(diamonds(await renderSvg(ladderSpec(summary))) - 1);
  });
});

describe('carpet figure', () => {
  it('covers every cell once', () => {
    const carpet = syntheticCarpet(48, 16);
    const spec = carpetSpec(carpet);
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
    for (let i = 1; i < values.length; i++) expect(values[i - 1]! - values[i]!).toBeGreaterThan(8);
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
    timelineSpec(timeline);
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
