import { UsageError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { Op, OpGraph, Precision } from '../../src/model/graph.js';
import { graphFor } from '../../src/model/graph-cache.js';
import type { PassShape } from '../../src/pass/shape.js';
import { bytesText } from '../../src/util/bytes.js';
import type { HardwareProfile } from '../hardware/schema.js';
import { weightsOf } from '../memory/lifetimes.js';
import type { MemoryContext } from '../memory/regions.js';
import { opWeightBytes } from '../stacks/behaviours.js';
import { groupsOf, sessionsOf } from '../stacks/dispatch.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { foldModel } from './fold-model.js';
import { tensorOf } from './lower/tensors.js';
import type { NpuUnits } from './npu-unit.js';
import type { Rates } from './rates.js';

/** A model and what it runs on. */
export interface ModelOnChip {
  readonly profile: HardwareProfile;
  readonly stack: SoftwareStack;
  readonly model: ModelConfig;
  readonly precision: Precision;
}

/**
 * What the memory runtime needs to know: the window, the costs, and the weights.
 * @param shape of a pass that is timed in any case: where it reads all weights, no other has to be looked at
 */
export function memoryContext(
  options: ModelOnChip,
  rates: Rates,
  npu: NpuUnits,
  shape: PassShape | null = null,
): MemoryContext {
  const { profile, stack, model, precision } = options;
  const rowTile = { ...REFERENCE_PASS, rows: profile.npu.matrixTile };
  const onNpu = (of: PassShape): { graph: OpGraph; ops: readonly (readonly Op[])[] } => {
    const graph = graphFor(model, of, precision);
    const groups = groupsOf(stack, graph, profile).filter(({ device }) => device === 'npu');
    return { graph, ops: groups.map(({ ops }) => ops) };
  };
  const whole = onNpu(shape !== null && readsAllWeights(shape) ? shape : rowTile);
  return {
    window: { ...profile.window, bytes: windowBytes(options) },
    costs: contextCosts(profile, rates),
    maxBufferBytes: stack.numbers.maxBufferBytes,
    slotBytes: stack.numbers.slotBytes,
    kvGrowthTokens: stack.numbers.kvGrowthTokens,
    kvBytesPerToken: kvBytesPerToken(options),
    passRows: stack.numbers.prefillRows,
    weights: weightsOf(whole.graph, whole.ops.flat()),
    compute: () => {
      const { graph, ops } = onNpu(rowTile);
      return ops.flatMap((group) =>
        npu.timeGroup(group, graph).map(({ ms }, at) => ({ op: group[at] as Op, ms })),
      );
    },
  };
}

/** A pass without logits ends before the last layer's feed-forward, and some stacks place a single row elsewhere. */
function readsAllWeights({ rows, logitsRows }: PassShape): boolean {
  return logitsRows > 0 && rows > 1;
}

/** Driver and host costs of a profile. */
function contextCosts({ driver }: HardwareProfile, rates: Rates): MemoryContext['costs'] {
  return {
    mapFixedMs: driver.mapFixed,
    mapMsPerByte: driver.mapPerByte / 1e6,
    maintenanceMsPerByte: driver.cacheMaintenance / 1e6,
    copyBytesPerMs: rates.copyBytesPerMs,
  };
}

/**
 * Refuses a window that cannot hold the weights of a single operator.
 * @throws UsageError naming the tensor and the missing bytes
 */
export function checkWindow(options: ModelOnChip): void {
  const { graph, ops } = foldedNpuOps(options);
  checkWeights(graph, ops, windowBytes(options));
}

/** @throws UsageError naming the first tensor whose operator needs more than the window */
function checkWeights(graph: OpGraph, ops: readonly Op[], windowBytes: number): void {
  for (const { weights } of ops) {
    const sizes = weights.map((id) => ({ id, bytes: tensorOf(graph, id).bytes }));
    const all = sizes.reduce((sum, size) => sum + size.bytes, 0);
    if (all <= windowBytes) continue;
    const { id } = sizes.reduce((best, size) => (size.bytes > best.bytes ? size : best));
    throw new UsageError(
      `${id} (${bytesText(all)}) is ${bytesText(all - windowBytes)} larger than an address window of ${bytesText(windowBytes)}`,
    );
  }
}

/** Whether weights and the KV cache of a full context leave no tenth of the window for activations. */
export function mayStage(options: ModelOnChip): boolean {
  const bytes = npuWeights(options, { q4Layout: 1, q8Layout: 1 });
  if (bytes === 0) return false;
  const kvBytes = kvBytesPerToken(options) * options.model.contextLength;
  return bytes + kvBytes > 0.9 * windowBytes(options);
}

/** Addresses of all sessions together; each holds its own layers, so no layer competes with another session's. */
function windowBytes(options: ModelOnChip): number {
  const { profile, stack } = options;
  return profile.window.bytes * sessionsOf(stack, npuWeights(options, stack.numbers), profile);
}

/** Weights that operators on the NPU read, in the stack's layout, and the sessions whose windows hold them. */
export function weightsOnNpu(options: ModelOnChip): { readonly bytes: number; readonly sessions: number } {
  const bytes = npuWeights(options, options.stack.numbers);
  return { bytes, sessions: sessionsOf(options.stack, bytes, options.profile) };
}

/** Bytes of all weights on the NPU. */
function npuWeights(options: ModelOnChip, layout: Parameters<typeof opWeightBytes>[2]): number {
  const { graph, ops, counts } = foldedNpuOps(options);
  let bytes = 0;
  for (const op of ops) {
    bytes += opWeightBytes(graph, op, layout) * (op.layer === null ? 1 : counts[op.layer]);
  }
  return bytes;
}

/** NPU operators of one layer of each kind, with how often a kind occurs. */
function foldedNpuOps({ profile, stack, model, precision }: ModelOnChip): {
  graph: OpGraph;
  ops: readonly Op[];
  counts: readonly number[];
} {
  // Layers that are stored differently are not equal.
  const { config, counts } =
    precision.tensors === undefined
      ? foldModel(model)
      : { config: model, counts: new Array<number>(model.layers).fill(1) };
  const graph = graphFor(config, { ...REFERENCE_PASS, rows: profile.npu.matrixTile }, precision);
  const onNpu = groupsOf(stack, graph, profile).filter(({ device }) => device === 'npu');
  return { graph, ops: onNpu.flatMap(({ ops }) => ops), counts };
}

export function kvBytesPerToken({ model, precision }: ModelOnChip): number {
  return 2 * model.layers * model.kvHeads * model.headDim * (precision.kv === 'f16' ? 2 : 4);
}

/** One row tile through all layers and the head. */
const REFERENCE_PASS = { kvSets: [], logitsRows: 1, masked: false, adapter: true } as const;
