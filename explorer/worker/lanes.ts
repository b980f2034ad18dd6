import { type Span, TRACKS, type Track } from '../../sim/machine/timeline.js';
import type { LaneView, MachineView, SpanView } from './view.js';

/** Slices of a step's overview: about what a screen can show. */
export const SLICES = 240;

/** What each part of the machine did in a step, without those that did nothing. */
export function lanesOf(
  spans: readonly Span[],
  startMs: number,
  endMs: number,
): Pick<MachineView, 'lanes' | 'layer'> {
  const layers = [...new Set(spans.flatMap(({ layer }) => (layer === null ? [] : [layer])))].sort(
    (a, b) => a - b,
  );
  const middle = layers[layers.length >> 1];
  const byTrack = new Map<Track, Span[]>();
  for (const span of spans) byTrack.set(span.track, [...(byTrack.get(span.track) ?? []), span]);
  const lanes = TRACKS.flatMap((track): LaneView[] => {
    const own = byTrack.get(track);
    if (own === undefined) return [];
    const layer = own
      .filter((span) => span.layer === middle && middle !== undefined)
      .map(
        (span): SpanView => ({
          startMs: span.startMs - startMs,
          endMs: span.endMs - startMs,
          what: span.category,
        }),
      );
    return [{ track, busy: busyShares(own, startMs, endMs), layer }];
  });
  const ends = lanes.flatMap(({ layer }) => layer);
  if (middle === undefined || ends.length === 0) return { lanes, layer: null };
  return {
    lanes,
    layer: {
      index: middle,
      startMs: Math.min(...ends.map((span) => span.startMs)),
      endMs: Math.max(...ends.map((span) => span.endMs)),
    },
  };
}

/** Busy share of equal slices of [startMs, endMs]. A span that leaves gaps is spread evenly over its length. */
export function busyShares(spans: readonly Span[], startMs: number, endMs: number): number[] {
  const slices = new Array<number>(SLICES).fill(0);
  const sliceMs = (endMs - startMs) / SLICES;
  for (const span of spans) {
    const from = Math.max(span.startMs, startMs);
    const to = Math.min(span.endMs, endMs);
    if (to <= from) continue;
    const density = span.busyMs / (span.endMs - span.startMs);
    const last = Math.min(SLICES - 1, Math.floor((to - startMs) / sliceMs));
    for (let slice = Math.floor((from - startMs) / sliceMs); slice <= last; slice++) {
      const begin = startMs + slice * sliceMs;
      const overlap = Math.min(to, begin + sliceMs) - Math.max(from, begin);
      if (overlap > 0) slices[slice] += (overlap / sliceMs) * density;
    }
  }
  // Several refreshes may run at a time: the lane is then simply busy.
  return slices.map((share) => Math.min(1, Math.round(share * 1000) / 1000));
}
