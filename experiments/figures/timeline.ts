import type { TopLevelSpec } from 'vega-lite';
import type { Timeline, TimelineSpan } from '../studies/ladder/types.js';
import { HOUSE_STYLE, PAGE_WIDTH, PALETTE } from './style.js';

/** What a span's group belongs to, with one colour each that is the same in every figure. */
const FAMILIES = {
  'feed-forward': { color: PALETTE.orange, groups: ['gate', 'up', 'down', 'moe', 'router'] },
  'attention projections': { color: PALETTE.blue, groups: ['q', 'k', 'v', 'o'] },
  attention: { color: PALETTE.vermilion, groups: ['attention'] },
  'norm, rope, add': {
    color: PALETTE.yellow,
    groups: ['rmsnorm', 'layernorm', 'rope', 'swiglu', 'gelu', 'add', 'embed', 'gather-rows'],
  },
  'head, sampling': { color: PALETTE.purple, groups: ['head', 'factor', 'sampling'] },
  'dispatch, map': {
    color: PALETTE.black,
    groups: ['dispatch', 'cache maintenance', 'mapping', 'operator start'],
  },
  'staging copy': { color: PALETTE.green, groups: ['copy'] },
  refresh: { color: PALETTE.sky, groups: ['refresh'] },
  other: { color: PALETTE.grey, groups: [] },
} as const;

type Family = keyof typeof FAMILIES;
const FAMILY_NAMES = Object.keys(FAMILIES) as Family[];

/** Family of a span's group; groups this figure does not know are `other`. */
export function familyOf(group: string): Family {
  return FAMILY_NAMES.find((name) => (FAMILIES[name].groups as readonly string[]).includes(group)) ?? 'other';
}

const LANE_HEIGHT = 22;
/** Height of a fully busy bar in its lane, and the least height drawn, as shares. */
const FULL_HEIGHT = 0.84;
const MIN_SHARE = 0.12;

/** Busy time of a span: less than its length where the unit waits for others inside an operator. */
export function busyMs(span: TimelineSpan): number {
  return (span.endMs - span.startMs) * (span.busyShare ?? 1);
}

/**
 * Spans that touch at the resolution of the figure become one: thousands of operators would be thousands of
 * invisible rectangles. Busy time is kept; gaps of at most `gapMs` count as waiting.
 */
export function mergeSpans(spans: readonly TimelineSpan[], gapMs: number): TimelineSpan[] {
  const merged: TimelineSpan[] = [];
  const lastOfLane = new Map<string, TimelineSpan>();
  for (const span of [...spans].sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)) {
    const last = lastOfLane.get(span.lane);
    const joins = last !== undefined && familyOf(last.group) === familyOf(span.group);
    if (joins && span.startMs - last.endMs <= gapMs) {
      const busy = busyMs(last) + busyMs(span);
      last.endMs = Math.max(last.endMs, span.endMs);
      last.busyShare = Math.min(1, busy / (last.endMs - last.startMs));
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

/**
 * Lanes of one step: the whole step above, its middle layer enlarged below. A bar spans the time an operator holds
 * the unit; its height is the share of that time in which the unit works.
 * @param title default: row, step and prompt
 */
export function timelineSpec(
  timeline: Timeline,
  title = `${timeline.row}: step ${timeline.step} of prompt ${timeline.prompt}`,
): TopLevelSpec {
  const present = new Set(timeline.spans.map((span) => familyOf(span.group)));
  const families = FAMILY_NAMES.filter((name) => present.has(name));
  const layer = middleLayer(timeline);
  const whole = panel(timeline, families, { startMs: 0, endMs: timeline.durationMs }, 'whole step');
  return {
    ...HOUSE_STYLE,
    title: {
      text: title,
      subtitle: `simulated, ${timeline.durationMs.toFixed(1)} ms; a bar's height is the share of its time in which the unit works`,
    },
    vconcat:
      layer === null ? [whole] : [whole, panel(timeline, families, layer, `layer ${layer.layer} enlarged`)],
    spacing: 26,
  };
}

function panel(
  timeline: Timeline,
  families: readonly Family[],
  range: { readonly startMs: number; readonly endMs: number },
  title: string,
) {
  const width = PAGE_WIDTH - 190;
  const { startMs, endMs } = range;
  const pixelMs = (endMs - startMs) / width;
  const values = mergeSpans(timeline.spans, pixelMs / 2)
    .filter((span) => span.endMs > startMs && span.startMs < endMs)
    .map((span) => {
      const middle = timeline.lanes.indexOf(span.lane) + 0.5;
      const half = (FULL_HEIGHT / 2) * Math.max(MIN_SHARE, span.busyShare ?? 1);
      return {
        work: familyOf(span.group),
        start: round(Math.max(span.startMs, startMs)),
        end: round(Math.min(span.endMs, endMs)),
        top: round(middle - half),
        bottom: round(middle + half),
      };
    });
  const lanes = timeline.lanes.length;
  return {
    width,
    height: lanes * LANE_HEIGHT,
    data: { values },
    mark: { type: 'rect' as const },
    encoding: {
      x: {
        field: 'start',
        type: 'quantitative' as const,
        scale: { domain: [round(startMs), round(endMs)], nice: false, zero: false },
        axis: { title: `ms since the step began (${title})`, tickCount: 8, grid: true },
      },
      x2: { field: 'end' },
      y: {
        field: 'top',
        type: 'quantitative' as const,
        scale: { domain: [0, lanes], nice: false, reverse: true },
        axis: {
          title: null,
          values: timeline.lanes.map((_, index) => index + 0.5),
          labelExpr: `${JSON.stringify(timeline.lanes.map(laneTitle))}[floor(datum.value)]`,
          ticks: false,
          domain: false,
          grid: false,
        },
      },
      y2: { field: 'bottom' },
      color: {
        field: 'work',
        type: 'nominal' as const,
        scale: { domain: [...families], range: families.map((name) => FAMILIES[name].color) },
        legend: { title: 'work', symbolType: 'square' as const, symbolSize: 80 },
      },
    },
  };
}

/** Acronyms as acronyms. */
function laneTitle(lane: string): string {
  return ['dma', 'l2', 'cpu', 'gpu'].includes(lane) ? lane.toUpperCase() : lane;
}

/** Microsecond resolution is below a pixel and keeps the file small. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
