import { type Span, type Timeline, TRACKS, type Track } from './timeline.js';

/** One event of the Chrome trace format; `ts` and `dur` in microseconds. */
export interface TraceEvent {
  /** Slice, name, counter, and the two ends of an arrow. */
  readonly ph: 'X' | 'M' | 'C' | 's' | 'f';
  readonly name: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  /** Of an arrow. */
  readonly id?: number;
  /** The arrow ends at the slice that encloses its end. */
  readonly bp?: 'e';
  readonly args?: Readonly<Record<string, string | number | null | undefined>>;
}

export interface PerfettoTrace {
  readonly displayTimeUnit: 'ms';
  readonly otherData: Readonly<Record<string, string>>;
  readonly traceEvents: readonly TraceEvent[];
}

const NPU = 1;
const HOST = 2;
const STEPS_TID = 1;
/** Tasks are numbered from 0. */
const NO_TASK = -1;

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
 * slices never overlap, and a slice is as long as its resource was busy: the slices of a track add up to its busy time.
 * Each names layer and step in `args`; a task also its bytes or multiply-accumulates, and an arrow leads from the task whose
 * result it takes on another unit: from DMA to the vector threads to the matrix unit. Names come first, then events by time;
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
  const tasks = new Map<number, Span>();
  for (const span of timeline.spans) if (span.task !== undefined) tasks.set(span.task, span);
  for (const span of timeline.spans) {
    const { track, name, category: cat, layer, step, startMs, endMs, busyMs, bytes, macs } = span;
    const { pid } = PLACE[track];
    const tid = tids.get(track);
    const whole = endMs - startMs;
    const args = {
      layer,
      step,
      within_us: busyMs < whole ? us(whole) : undefined,
      bytes,
      macs: macs === undefined ? undefined : Math.round(macs),
    };
    const dur = duration(startMs, startMs + busyMs);
    events.push({ ph: 'X', name, pid, tid, ts: us(startMs), dur, cat, args });
    const source = tasks.get(span.from ?? NO_TASK);
    if (source === undefined) continue;
    const arrow = { name: 'data', cat: 'data', id: span.task };
    // Inside the last nanosecond of the slice that it leaves.
    const leaves = us(source.endMs) - 0.001;
    events.push({ ph: 's', pid: PLACE[source.track].pid, tid: tids.get(source.track), ts: leaves, ...arrow });
    events.push({ ph: 'f', pid, tid, ts: us(startMs), bp: 'e', ...arrow });
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
