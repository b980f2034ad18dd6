import type { TopLevelSpec } from 'vega-lite';
import type { Timeline, TimelineSpan } from '../ablation/types.js';
import { CONFIG, PALETTE, WIDTH } from './style.js';

/** Bright enough to be told apart in colour and ordered in grey; the last one takes all further groups. */
const GROUP_COLORS = [
  PALETTE.blue,
  PALETTE.orange,
  PALETTE.sky,
  PALETTE.vermilion,
  PALETTE.green,
  PALETTE.purple,
  PALETTE.black,
] as const;
const OTHER = 'other';

const LANE_HEIGHT = 20;

/** Groups by total time, longest first; what exceeds the palette is called `other`. */
export function timelineGroups(timeline: Timeline): string[] {
  const total = new Map<string, number>();
  for (const span of timeline.spans) {
    total.set(span.group, (total.get(span.group) ?? 0) + span.endMs - span.startMs);
  }
  const names = [...total].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([name]) => name);
  return names.length <= GROUP_COLORS.length ? names : [...names.slice(0, GROUP_COLORS.length - 1), OTHER];
}

/**
 * Spans that touch at the resolution of the figure become one: thousands of chunks of one operator would be
 * thousands of invisible rectangles. Busy time is kept to within `gapMs` per join.
 */
export function mergeSpans(spans: readonly TimelineSpan[], gapMs: number): TimelineSpan[] {
  const merged: TimelineSpan[] = [];
  const lastOfLane = new Map<string, TimelineSpan>();
  for (const span of [...spans].sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)) {
    const last = lastOfLane.get(span.lane);
    if (last !== undefined && last.group === span.group && span.startMs - last.endMs <= gapMs) {
      last.endMs = Math.max(last.endMs, span.endMs);
      continue;
    }
    const copy = { ...span };
    merged.push(copy);
    lastOfLane.set(span.lane, copy);
  }
  return merged;
}

/** Range of the middle layer, or null when the spans name no layers. */
export function middleLayer(timeline: Timeline): { layer: number; startMs: number; endMs: number } | null {
  const layers = [...new Set(timeline.spans.flatMap((span) => span.layer ?? []))].sort((a, b) => a - b);
  const layer = layers[Math.floor(layers.length / 2)];
  if (layer === undefined) return null;
  const own = timeline.spans.filter((span) => span.layer === layer);
  const startMs = Math.min(...own.map((span) => span.startMs));
  const endMs = Math.max(...own.map((span) => span.endMs));
  return { layer, startMs, endMs };
}

/** Lanes of one step: the whole step above, its middle layer enlarged below. */
export function timelineSpec(timeline: Timeline): TopLevelSpec {
  const groups = timelineGroups(timeline);
  const layer = middleLayer(timeline);
  const whole = panel(timeline, groups, { startMs: 0, endMs: timeline.durationMs }, 'whole step');
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    config: CONFIG,
    title: {
      text: `${timeline.row}: step ${timeline.step} of prompt ${timeline.prompt}`,
      subtitle: `simulated, ${timeline.durationMs.toFixed(1)} ms`,
    },
    vconcat:
      layer === null ? [whole] : [whole, panel(timeline, groups, layer, `layer ${layer.layer} enlarged`)],
    spacing: 26,
  };
}

function panel(
  timeline: Timeline,
  groups: readonly string[],
  range: { readonly startMs: number; readonly endMs: number },
  title: string,
) {
  const width = WIDTH.page - 190;
  const { startMs, endMs } = range;
  const pixelMs = (endMs - startMs) / width;
  const values = mergeSpans(timeline.spans, pixelMs / 2)
    .filter((span) => span.endMs > startMs && span.startMs < endMs)
    .map((span) => ({
      lane: span.lane,
      group: groups.includes(span.group) ? span.group : OTHER,
      start: round(Math.max(span.startMs, startMs)),
      end: round(Math.min(span.endMs, endMs)),
    }));
  return {
    width,
    height: timeline.lanes.length * LANE_HEIGHT,
    data: { values },
    mark: { type: 'rect' as const, height: { band: 0.72 } },
    encoding: {
      x: {
        field: 'start',
        type: 'quantitative' as const,
        scale: { domain: [round(startMs), round(endMs)], nice: false, zero: false },
        axis: { title: `ms since the step began (${title})`, tickCount: 8, grid: true },
      },
      x2: { field: 'end' },
      y: {
        field: 'lane',
        type: 'nominal' as const,
        scale: { domain: [...timeline.lanes] },
        axis: { title: null, ticks: false, domain: false },
      },
      color: {
        field: 'group',
        type: 'nominal' as const,
        scale: { domain: [...groups], range: GROUP_COLORS.slice(0, groups.length) },
        legend: { title: 'work', symbolType: 'square' as const, symbolSize: 80 },
      },
    },
  };
}

/** Microsecond resolution is below a pixel and keeps the file small. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
