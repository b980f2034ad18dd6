import { bytesText } from '../../src/util/bytes.js';
import type { Timeline, TimelineSpan } from '../studies/ladder/types.js';
import type { Figure, Page } from './page.js';
import { HOUSE_STYLE, PALETTE, TEXT } from './style.js';
import { textWidth } from './text-width.js';
import { unitWords } from './words.js';

/** What a span's group belongs to, with one colour each that is the same in every figure. */
const FAMILIES = {
  'feed-forward': { color: PALETTE.orange, groups: ['gate', 'up', 'down', 'moe', 'router'] },
  'attention projections': { color: PALETTE.blue, groups: ['q', 'k', 'v', 'o'] },
  attention: { color: PALETTE.vermilion, groups: ['attention'] },
  'norm, rope, add': {
    color: '#A68F00',
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

const ROW_HEIGHT = 11;
/** Height of a fully busy bar in its row, and the least height drawn, as shares. */
const FULL_HEIGHT = 0.9;
const MIN_SHARE = 0.12;

/** Follows the name of the first of several merged spans. */
const MORE = ' and more';

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
      if (last.name !== span.name && !last.name.endsWith(MORE)) last.name = `${last.name}${MORE}`;
      if (span.bytes !== undefined) last.bytes = (last.bytes ?? 0) + span.bytes;
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

/** What one unit does of one kind of work. */
interface Row {
  readonly lane: string;
  readonly work: Family;
  /** First of its unit. */
  readonly first: boolean;
}

/** Rows in the order of the units, each with the kinds of work it does: a row's place says what its bars are. */
function rowsOf(timeline: Timeline): Row[] {
  return timeline.lanes.flatMap((lane) => {
    const present = new Set(
      timeline.spans.filter((span) => span.lane === lane).map((span) => familyOf(span.group)),
    );
    return FAMILY_NAMES.filter((name) => present.has(name)).map((work, i) => ({
      lane,
      work,
      first: i === 0,
    }));
  });
}

/**
 * One step by unit and kind of work: the whole step above, its middle layer enlarged below. A bar spans the time an
 * operator holds the unit; its height is the share of that time in which the unit works.
 * @param title default: row, step and prompt
 */
export function timelineFigure(
  timeline: Timeline,
  title = `Who is busy when: ${timeline.row}, step ${timeline.step} of prompt ${timeline.prompt}`,
): Figure {
  const rows = rowsOf(timeline);
  const layer = middleLayer(timeline);
  return (page) => {
    const panels = [
      panel(timeline, rows, { startMs: 0, endMs: timeline.durationMs }, { title: 'whole step', page }),
      ...(layer === null
        ? []
        : [panel(timeline, rows, layer, { title: `layer ${layer.layer} enlarged`, page })]),
    ];
    return {
      ...HOUSE_STYLE,
      title: {
        text: title,
        subtitle: `simulated, ${timeline.durationMs.toFixed(1)} ms; a bar's height is the share of its time in which the unit works`,
      },
      vconcat: panels,
      spacing: 12,
    };
  };
}

/** Room between the names of the units and those of the work, and between those and the axis. */
const NAME_GAP = 7;

function panel(
  timeline: Timeline,
  rows: readonly Row[],
  range: { readonly startMs: number; readonly endMs: number },
  { title, page }: { readonly title: string; readonly page: Page },
) {
  const width = page.plot;
  const { startMs, endMs } = range;
  const unitMs = (endMs - startMs) / width;
  const at = new Map(rows.map(({ lane, work }, i) => [`${lane} ${work}`, i]));
  // Each row by itself, or work of another row between two spans would keep them apart here and not there.
  const values = rows.flatMap(({ lane, work }) => {
    const own = timeline.spans.filter((span) => span.lane === lane && familyOf(span.group) === work);
    const row = at.get(`${lane} ${work}`) ?? 0;
    return mergeSpans(own, unitMs / 4)
      .filter((span) => span.endMs > startMs && span.startMs < endMs)
      .map((span) => {
        const half = (FULL_HEIGHT / 2) * Math.max(MIN_SHARE, span.busyShare ?? 1);
        return {
          work,
          start: round(Math.max(span.startMs, startMs)),
          end: round(Math.min(span.endMs, endMs)),
          top: round(row + 0.5 - half),
          bottom: round(row + 0.5 + half),
          says: `${unitWords(lane)}: ${span.name}${span.layer === null || span.name.includes(MORE) ? '' : `, layer ${span.layer}`}; ${round(span.startMs)} to ${round(span.endMs)} ms, works ${Math.round(100 * (span.busyShare ?? 1))} % of it${span.bytes === undefined ? '' : `, ${bytesText(span.bytes)}`}`,
        };
      });
  });
  const works = [...new Set(rows.map(({ work }) => work))];
  const x = {
    type: 'quantitative' as const,
    scale: { domain: [round(startMs), round(endMs)], nice: false, zero: false },
    axis: {
      title: `ms since the step began (${title})`,
      tickCount: Math.max(3, Math.floor(width / 50)),
      grid: true,
    },
  };
  const y = {
    type: 'quantitative' as const,
    scale: { domain: [0, rows.length], nice: false, reverse: true },
    axis: null,
  };
  const workNames = Math.max(...rows.map(({ work }) => textWidth(work, TEXT)));
  const laneNames = Math.max(...rows.map(({ lane }) => textWidth(unitWords(lane), TEXT, 'bold')));
  const left = -(NAME_GAP + workNames + NAME_GAP + laneNames);
  const first = rows.flatMap(({ lane, first: isFirst }, index) =>
    isFirst ? [{ name: unitWords(lane), edge: index, middle: index + 0.5 }] : [],
  );
  return {
    width,
    height: rows.length * ROW_HEIGHT,
    layer: [
      {
        data: { values: first },
        mark: { type: 'rule' as const, color: '#BBBBBB', strokeWidth: 0.6 },
        encoding: { y: { ...y, field: 'edge' }, x: { value: left }, x2: { value: width } },
      },
      {
        data: { values: first },
        mark: { type: 'text' as const, align: 'left' as const, fontWeight: 'bold' as const },
        encoding: { y: { ...y, field: 'middle' }, x: { value: left }, text: { field: 'name' } },
      },
      {
        data: { values: rows.map(({ work }, index) => ({ work, middle: index + 0.5 })) },
        mark: { type: 'text' as const, align: 'right' as const },
        encoding: { y: { ...y, field: 'middle' }, x: { value: -NAME_GAP }, text: { field: 'work' } },
      },
      {
        data: { values },
        // What a bar is, for a pointer and for a screen reader.
        mark: { type: 'rect' as const, aria: true },
        encoding: {
          description: { field: 'says' },
          x: { ...x, field: 'start' },
          x2: { field: 'end' },
          y: { ...y, field: 'top' },
          y2: { field: 'bottom' },
          color: {
            field: 'work',
            type: 'nominal' as const,
            scale: { domain: works, range: works.map((name) => FAMILIES[name].color) },
            // Every row is named.
            legend: null,
          },
        },
      },
    ],
  };
}

/** Microsecond resolution is below a pixel and keeps the file small. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
