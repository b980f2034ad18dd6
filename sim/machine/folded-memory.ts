import { UsageError } from '../../src/errors.js';
import type { Op, OpGraph } from '../../src/model/graph.js';
import { classify } from '../memory/lifetimes.js';
import { copyMs, type MemoryCosts, mapMs } from '../memory/regions.js';
import type { MemoryMode } from '../memory/runtime.js';
import { layoutScratch } from '../memory/scratch-layout.js';

/** What the closed form of the memory runtimes looks at. */
export interface FoldedWindow {
  readonly mode: MemoryMode;
  readonly window: {
    readonly bytes: number;
    readonly alignment: number;
    readonly maxMap: number;
    readonly mapperEntries: number;
  };
  readonly costs: MemoryCosts;
  readonly maxBufferBytes: number;
  readonly slotBytes: number;
  readonly kvGrowthTokens: number;
  readonly kvBytesPerToken: number;
}

/** What every step costs once the same step has run before. */
export interface SteadyMemory {
  readonly mapMs: number;
  readonly mapOps: number;
  readonly mappedBytes: number;
  readonly stallMs: number;
  readonly stagedBytes: number;
  /** Staging copies of a step. */
  readonly copyMs: number;
  /** Share of the NPU's time beside a copy. */
  readonly copyShare: number;
  readonly windowBytes: number;
}

const NOTHING = { mapMs: 0, mapOps: 0, mappedBytes: 0, stallMs: 0, stagedBytes: 0, copyMs: 0, copyShare: 0 };

/**
 * Steady state of a memory mode. On demand, buffers come round in the same order every step, so the least recently used
 * one is always the next that is needed and all are mapped again; with paging this holds for the tensors that are not
 * pinned; with SOMR the bytes that do not fit beside the slots are copied every step.
 * @param npuMs dispatch and operators, and `hostMs` the rest of the step without memory work; two slots are refilled while the host works
 * @throws UsageError naming the tensor that cannot be placed and the missing bytes
 */
export function steadyMemory(
  on: FoldedWindow,
  graph: OpGraph,
  npuOps: readonly Op[],
  times: (op: Op) => number,
  npuMs: number,
  hostMs: number,
): SteadyMemory {
  const { window, mode, costs } = on;
  if (mode === 'unlimited') return { ...NOTHING, windowBytes: 0 };
  const align = (bytes: number): number => Math.ceil(bytes / window.alignment) * window.alignment;
  let total = 0;
  let units = 0;
  let largest = { id: '', bytes: 0 };
  for (const op of npuOps) {
    const bytes = op.weights.reduce((sum, id) => sum + (graph.tensors.get(id)?.bytes ?? 0), 0);
    total += bytes * times(op);
    if (bytes >= window.alignment) units += times(op);
    if (bytes > largest.bytes) largest = { id: op.weights[0] ?? op.id, bytes };
  }
  if (largest.bytes > window.bytes) {
    throw new UsageError(
      `${largest.id} (${largest.bytes} B) is ${largest.bytes - window.bytes} B larger than the address window`,
    );
  }
  const cached = graph.shape.kvSets.reduce((sum, set) => sum + set.length, graph.shape.rows);
  const tokens = Math.ceil(cached / on.kvGrowthTokens) * on.kvGrowthTokens;
  const scratch = layoutScratch(classify(graph, npuOps).activations).bytes;
  const free =
    window.bytes - align(tokens * on.kvBytesPerToken) - align((scratch / graph.shape.rows) * tokens);
  const bufferLimit = Math.min(on.maxBufferBytes, window.maxMap);
  const waste = window.alignment * Math.ceil(total / bufferLimit);
  if (total + waste <= free) return { ...NOTHING, windowBytes: window.bytes - free + total };
  const full = { ...NOTHING, windowBytes: window.bytes };
  if (mode === 'on-demand') {
    const half = Math.floor(free / 2 / window.alignment) * window.alignment;
    const mapOps = Math.ceil(total / Math.min(bufferLimit, half));
    return {
      ...full,
      mapOps,
      mappedBytes: total,
      mapMs: mapOps * costs.mapFixedMs + costs.mapMsPerByte * total,
    };
  }
  if (mode === 'paging') {
    const mappedBytes = Math.min(total, Math.max(0, total - (free - align(largest.bytes))));
    const mapOps = Math.round((mappedBytes / total) * Math.max(1, units));
    const each = mapOps === 0 ? 0 : mappedBytes / mapOps;
    return { ...full, mapOps, mappedBytes, mapMs: mapOps * mapMs(costs, each) };
  }
  const slot = align(Math.max(largest.bytes, Math.min(on.slotBytes, free / 8)));
  const budget = free - 2 * slot - waste - window.alignment;
  if (budget < 0) {
    throw new UsageError(
      `${largest.id} (${largest.bytes} B) cannot be staged in an address window of ${window.bytes} B: ${-budget} B missing`,
    );
  }
  const stagedBytes = Math.max(0, total - budget);
  const copies = copyMs(costs, stagedBytes);
  const besideHost = Math.min(hostMs, 2 * copyMs(costs, Math.min(slot, stagedBytes)));
  const inside = Math.max(0, copies - besideHost);
  const stallMs = Math.max(0, inside - npuMs);
  return { ...full, stagedBytes, copyMs: copies, stallMs, copyShare: Math.min(1, inside / npuMs) };
}
