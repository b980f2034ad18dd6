import { UsageError } from '../../src/errors.js';
import type { OpGraph } from '../../src/model/graph.js';
import { classify } from '../memory/lifetimes.js';
import { copyMs, type MemoryCosts, mapMs, scratchRows } from '../memory/regions.js';
import type { MemoryMode } from '../memory/runtime.js';
import { layoutScratch } from '../memory/scratch-layout.js';
import { globalBatches, type StagingBatch, stagingRoom } from '../memory/staging-plan.js';
import { groupWeights, packBytes } from '../memory/units.js';
import { expand, type FoldedPass, type Order, readersOf, weightsOf } from './folded-order.js';
import { type StagedSequence, stagedPass } from './folded-staging.js';
import { checkWeights } from './memory-context.js';

/** What the closed form of the memory runtimes looks at. */
export interface FoldedWindow {
  readonly mode: Exclude<MemoryMode, 'unlimited'>;
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
  readonly passRows: number;
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
  /** How far operators on the NPU are slowed down: 0 alone, 1 beside a copy all the time. */
  readonly copyShare: number;
  readonly windowBytes: number;
}

const NOTHING = { mapMs: 0, mapOps: 0, mappedBytes: 0, stallMs: 0, stagedBytes: 0, copyMs: 0, copyShare: 0 };

/**
 * Steady state of a memory mode. On demand, buffers come round in the same order every step, so the least recently used
 * one is always the next that is needed and all are mapped again; with paging this holds for the tensors that are not
 * pinned; with SOMR the tensors that do not fit beside the slots are copied every step.
 * @throws UsageError naming the tensor that cannot be placed and the missing bytes
 */
export function steadyMemory(on: FoldedWindow, pass: FoldedPass): SteadyMemory {
  const { window, mode, costs } = on;
  const align = (bytes: number): number => Math.ceil(bytes / window.alignment) * window.alignment;
  const regions = { 'KV cache': kvBytes(on, pass.graph), activations: scratchBytes(on, pass) };
  let free = window.bytes;
  for (const [id, bytes] of Object.entries(regions)) {
    const most = Math.min(window.maxMap, free);
    if (align(bytes) > most) {
      refuseLargest(pass, window.bytes);
      throw new UsageError(
        `${id} (${Math.ceil(bytes)} B) does not fit the address window: ${align(bytes) - most} B missing`,
      );
    }
    free -= align(bytes);
  }
  const resident = (bytes: number): SteadyMemory => ({
    ...NOTHING,
    windowBytes: window.bytes - free + bytes,
  });
  // Most models fit by far: a unit wastes less than one alignment.
  const most = mostBytes(pass, window.alignment);
  if (most.bytes <= free && most.units <= window.mapperEntries - 3) return resident(most.bytes);

  const order = expand(pass);
  const weights = weightsOf(pass, order);
  const { sizes, groupOf } = groupWeights(weights.bytes, weights.firstUse, window.alignment);
  let largest = 0;
  let total = 0;
  for (const bytes of sizes) {
    largest = Math.max(largest, bytes);
    total += align(bytes);
  }
  if (largest > window.bytes) refuseLargest(pass, window.bytes);
  const bufferLimit = Math.min(on.maxBufferBytes, window.maxMap);
  if (mode === 'somr') {
    const room = stagingRoom(sizes, free, {
      alignment: window.alignment,
      bufferLimit,
      slotBytes: on.slotBytes,
    });
    if (room === null) return resident(total);
    if (room.budgetBytes < 0) {
      throw new UsageError(
        `${largestId(pass)} (${largest} B) cannot be staged in an address window of ${window.bytes} B: ${-room.budgetBytes} B missing`,
      );
    }
    const batches = globalBatches(sizes, room);
    const reads = readersOf(batches, weights, groupOf, order);
    return staged(on, pass, order, batches, reads);
  }
  const isRead = sizes.map(() => false);
  groupOf.forEach((unit, weight) => {
    if (order.runs[weights.firstUse[weight] ?? -1] === true) isRead[unit] = true;
  });
  const mapped =
    mode === 'paging'
      ? pagedBytes(sizes, isRead, free, on)
      : bufferBytes(sizes, isRead, free, bufferLimit, on);
  if (mapped === null) {
    throw new UsageError(
      `${largestId(pass)} (${largest} B) does not fit the address window of ${window.bytes} B in mode ${mode}: ${largest - Math.max(0, free)} B missing`,
    );
  }
  if (mapped.length === 0) return resident(total);
  const mappedBytes = mapped.reduce((sum, bytes) => sum + bytes, 0);
  return {
    ...NOTHING,
    windowBytes: window.bytes,
    mapOps: mapped.length,
    mappedBytes,
    mapMs: mapped.reduce((sum, bytes) => sum + mapMs(costs, bytes), 0),
  };
}

function kvBytes({ kvGrowthTokens: step, kvBytesPerToken }: FoldedWindow, { shape }: OpGraph): number {
  return tokensOf(step, shape) * kvBytesPerToken;
}

function tokensOf(step: number, { kvSets, rows }: OpGraph['shape']): number {
  return Math.ceil(kvSets.reduce((sum, set) => sum + set.length, rows) / step) * step;
}

function scratchBytes({ kvGrowthTokens, passRows }: FoldedWindow, { graph, ops }: FoldedPass): number {
  const onNpu = ops.filter((op) => op.onNpu && op.times > 0).map(({ prepared }) => prepared.op);
  const scratch = layoutScratch(classify(graph, onNpu).activations).bytes;
  const { rows } = graph.shape;
  return (scratch / rows) * scratchRows(rows, tokensOf(kvGrowthTokens, graph.shape), passRows);
}

/** Upper bounds of what weights take in the window and of their mappings. */
function mostBytes({ graph, ops }: FoldedPass, alignment: number): { bytes: number; units: number } {
  let bytes = 0;
  let units = 0;
  for (const { prepared, onNpu, count } of ops) {
    if (!onNpu || prepared.op.weights.length === 0) continue;
    for (const id of prepared.op.weights) bytes += count * (graph.tensors.get(id)?.bytes ?? 0);
    units += count;
  }
  return { bytes: bytes + units * alignment, units };
}

/** Id of the largest weight on the NPU. */
function largestId({ ops, graph }: FoldedPass): string {
  const ids = ops.flatMap(({ prepared, onNpu }) => (onNpu ? prepared.op.weights : []));
  const bytes = (id: string): number => graph.tensors.get(id)?.bytes ?? 0;
  return ids.reduce((best, id) => (bytes(id) > bytes(best) ? id : best), ids[0] ?? 'weights');
}

/** @throws UsageError when a single operator's weights exceed the window */
function refuseLargest({ ops, graph }: FoldedPass, windowBytes: number): void {
  checkWeights(
    graph,
    ops.flatMap(({ prepared, onNpu }) => (onNpu ? [prepared.op] : [])),
    windowBytes,
  );
}

/** Buffers that are mapped again every step; null when not two of them fit at once. */
function bufferBytes(
  units: readonly number[],
  isRead: readonly boolean[],
  free: number,
  limit: number,
  { window }: FoldedWindow,
): readonly number[] | null {
  const half = Math.floor(free / 2 / window.alignment) * window.alignment;
  const { sizes, groupOf } = packBytes(units, Math.min(limit, half));
  const align = (bytes: number): number => Math.ceil(bytes / window.alignment) * window.alignment;
  if (sizes.some((bytes) => align(bytes) > free)) return null;
  const used = sizes.map(() => false);
  groupOf.forEach((buffer, unit) => {
    if (isRead[unit] === true) used[buffer] = true;
  });
  const buffers = sizes.filter((_, buffer) => used[buffer]);
  // A buffer that nothing reads is the first to go.
  const total = buffers.reduce((sum, bytes) => sum + align(bytes), 0);
  return total <= free ? [] : buffers;
}

/** Tensors that are mapped again every step: those after the first that fit beside room for the largest. */
function pagedBytes(
  units: readonly number[],
  isRead: readonly boolean[],
  free: number,
  { window }: FoldedWindow,
): number[] | null {
  const align = (bytes: number): number => Math.ceil(bytes / window.alignment) * window.alignment;
  const largest = units.reduce((best, bytes) => Math.max(best, align(bytes)), 0);
  if (largest > free) return null;
  const total = units.reduce((sum, bytes) => sum + align(bytes), 0);
  let left = total <= free ? free : free - largest;
  let entries = window.mapperEntries - 3;
  const swapped = units.filter((bytes, unit) => {
    if (align(bytes) > left || entries <= 0) return isRead[unit];
    left -= align(bytes);
    entries--;
    return false;
  });
  const room = left + (total <= free ? 0 : largest);
  return swapped.reduce((sum, bytes) => sum + align(bytes), 0) <= room ? [] : swapped;
}

function staged(
  { costs, window }: FoldedWindow,
  { ops, afterMs }: FoldedPass,
  order: Order,
  batches: readonly StagingBatch[],
  reads: Pick<StagedSequence, 'batch' | 'lastReader'>,
): SteadyMemory {
  const beforeMs = ops.map((op) => op.beforeMs);
  const aloneMs = ops.map(({ prepared }) => prepared.kernel?.ms ?? 0);
  const besideMs = ops.map(({ prepared }) => prepared.besideCopy?.ms ?? 0);
  const copies = batches.map(({ bytes }) => copyMs(costs, bytes));
  const { stallMs, npuMs } = stagedPass({
    batch: reads.batch,
    lastReader: reads.lastReader,
    order: order.places,
    runs: order.runs,
    beforeMs,
    aloneMs,
    besideMs,
    afterMs,
    copyMs: copies,
  });
  let alone = 0;
  let beside = 0;
  ops.forEach(({ times }, at) => {
    alone += times * (aloneMs[at] ?? 0);
    beside += times * (besideMs[at] ?? 0);
  });
  return {
    mapMs: 0,
    mapOps: 0,
    mappedBytes: 0,
    windowBytes: window.bytes,
    stallMs,
    stagedBytes: batches.reduce((sum, { bytes }) => sum + bytes, 0),
    copyMs: copies.reduce((sum, ms) => sum + ms, 0),
    copyShare: beside > alone ? (npuMs - alone) / (beside - alone) : 0,
  };
}
