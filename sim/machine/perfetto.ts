import { type Timeline, TRACKS, type Track } from './timeline.js';

/** One event of the Chrome trace format; `ts` and `dur` in microseconds. */
export interface TraceEvent {
  readonly ph: 'X' | 'M' | 'C';
  readonly name: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args?: Readonly<Record<string, string | number | null>>;
}

export interface PerfettoTrace {
  readonly displayTimeUnit: 'ms';
  readonly otherData: Readonly<Record<string, string>>;
  readonly traceEvents: readonly TraceEvent[];
}

const NPU = 1;
const HOST = 2;
const STEPS_TID = 1;

const PLACE: Readonly<Record<Track, { pid: number; title: string }>> = {
  driver: { pid: HOST, title: 'driver' },
  cpu: { pid: HOST, title: 'CPU main path' },
  gpu: { pid: HOST, title: 'GPU' },
  staging: { pid: HOST, title: 'CPU staging copies' },
  refresh: { pid: HOST, title: 'CPU refresh' },
  dma: { pid: NPU, title: 'DMA' },
  l2: { pid: NPU, title: 'L2 reads and writes' },
  vector: { pid: NPU, title: 'vector threads' },
  matrix: { pid: NPU, title: 'matrix unit' },
};

/** Microseconds with nanosecond digits. */
const us = (ms: number): number => Math.round(ms * 1e6) / 1e3;

/** Length between two rounded ends, so that neighbours touch and never overlap. */
const duration = (startMs: number, endMs: number): number =>
  (Math.round(endMs * 1e6) - Math.round(startMs * 1e6)) / 1e3;

/**
 * A timeline in the Chrome trace format, which ui.perfetto.dev opens. Every track holds one kind of work, so its
 * slices never overlap; each slice names operator, layer and step in `args`. Names come first, then events by time;
 * tracks without work are left out.
 */
export function toPerfetto(timeline: Timeline): PerfettoTrace {
  const used = new Set(timeline.spans.map((span) => span.track));
  const names: TraceEvent[] = [
    { ph: 'M', name: 'process_name', pid: NPU, args: { name: `NPU (${timeline.machine})` } },
    { ph: 'M', name: 'process_name', pid: HOST, args: { name: 'host' } },
    { ph: 'M', name: 'thread_name', pid: HOST, tid: STEPS_TID, args: { name: 'denoising steps' } },
    { ph: 'M', name: 'thread_sort_index', pid: HOST, tid: STEPS_TID, args: { sort_index: 0 } },
  ];
  const tids = new Map<Track, number>();
  TRACKS.filter((track) => used.has(track)).forEach((track, at) => {
    const tid = STEPS_TID + 1 + at;
    tids.set(track, tid);
    const { pid, title } = PLACE[track];
    names.push({ ph: 'M', name: 'thread_name', pid, tid, args: { name: title } });
    names.push({ ph: 'M', name: 'thread_sort_index', pid, tid, args: { sort_index: at + 1 } });
  });
  const events: TraceEvent[] = [];
  for (const { step, startMs, endMs } of timeline.steps) {
    const ts = us(startMs);
    events.push({
      ph: 'X',
      name: `step ${step}`,
      pid: HOST,
      tid: STEPS_TID,
      ts,
      dur: duration(startMs, endMs),
      cat: 'step',
    });
  }
  for (const span of timeline.spans) {
    const ts = us(span.startMs);
    events.push({
      ph: 'X',
      name: span.name,
      pid: PLACE[span.track].pid,
      tid: tids.get(span.track),
      ts,
      dur: duration(span.startMs, span.endMs),
      cat: span.category,
      args: { layer: span.layer, step: span.step, busy_us: us(span.busyMs) },
    });
  }
  for (const { name, tMs, value } of timeline.counters) {
    events.push({ ph: 'C', name, pid: NPU, ts: us(tMs), args: { value } });
  }
  // By time, as readers that stream a file want them.
  events.sort((a, b) => (a.ts ?? 0) - (b.ts ?? 0));
  return {
    displayTimeUnit: 'ms',
    otherData: { machine: timeline.machine },
    traceEvents: [...names, ...events],
  };
}
