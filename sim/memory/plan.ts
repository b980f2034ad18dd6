import type { Machine } from '../machine/machine.js';
import { kvBytesPerToken, weightsOnNpu } from '../machine/memory-context.js';
import { fasterSmallerWindow, type SmallerWindow } from '../machine/smaller-window.js';
import type { Span } from '../machine/timeline.js';
import { denoisingShape } from '../workload/steady-step.js';
import type { MemoryMap } from './runtime.js';

/** What is in the address window in a steady step, what comes in and out, and what that costs. */
export interface MemoryPlan {
  readonly windowBytes: number;
  /** Sessions of the NPU, each with a window of its own. */
  readonly sessions: number;
  /** Weights that operators on the NPU read: in the window, staged, or mapped when they are needed. */
  readonly weightBytes: number;
  /** Positions that the mapped KV cache has room for; null where none is mapped. */
  readonly kvPositions: number | null;
  /** Null when the window is no limit, or nothing is mapped. */
  readonly map: MemoryMap | null;
  /** Copies into staging slots, from the start of the step. */
  readonly fills: readonly { readonly slot: string; readonly startMs: number; readonly endMs: number }[];
  readonly cost: {
    readonly stepMs: number;
    readonly mappingMs: number;
    /** Waiting for copies. */
    readonly stallMs: number;
    /** Length of the copies, which run beside the step. */
    readonly copyMs: number;
    readonly stagedBytes: number;
    readonly mappedBytes: number;
    readonly mapOps: number;
  };
  readonly fasterWindow: SmallerWindow | null;
}

/** @param machine one that keeps its timeline */
export function memoryPlan(machine: Machine, rows: number, context: number): MemoryPlan {
  const shape = denoisingShape(rows, context);
  machine.timePass(shape);
  const timing = machine.timePass(shape);
  const { startMs, endMs, counters } = timing;
  const within = (span: Span): boolean => span.startMs >= startMs && span.startMs < endMs;
  const copies = machine.timeline().spans.filter((span) => span.track === 'staging' && within(span));
  const { parts } = machine.stepBreakdown();
  const part = (name: string): number => parts.find((candidate) => candidate.name === name)?.ms ?? 0;
  const { profile, stack, shapes, quant } = machine.options;
  const onChip = { profile, stack, model: shapes, precision: quant };
  const weights = weightsOnNpu(onChip);
  const map = machine.memoryMap();
  const kvBytes = map?.mapped.find(({ id }) => id === 'KV cache')?.bytes;
  return {
    windowBytes: machine.options.profile.window.bytes,
    weightBytes: weights.bytes,
    sessions: weights.sessions,
    kvPositions: kvBytes === undefined ? null : Math.floor(kvBytes / kvBytesPerToken(onChip)),
    map,
    fills: copies.map((span) => ({
      slot: span.name,
      startMs: span.startMs - startMs,
      endMs: span.endMs - startMs,
    })),
    cost: {
      stepMs: endMs - startMs,
      mappingMs: part('mapping'),
      stallMs: part('staging wait'),
      copyMs: copies.reduce((sum, span) => sum + span.endMs - span.startMs, 0),
      stagedBytes: counters.stagedBytes,
      mappedBytes: counters.mappedBytes,
      mapOps: counters.mapOps,
    },
    fasterWindow: fasterSmallerWindow(machine, shape, timing),
  };
}
