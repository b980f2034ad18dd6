import type { ModelConfig } from '../../src/model/config.js';
import type { Precision } from '../../src/model/graph.js';
import { graphFor } from '../../src/model/graph-cache.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { MemoryContext } from '../memory/regions.js';
import { opWeightBytes } from '../stacks/batches.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { foldModel } from './fold-model.js';
import type { NpuUnits } from './npu-unit.js';
import type { Rates } from './rates.js';

/** A model and what it runs on. */
export interface ModelOnChip {
  readonly profile: HardwareProfile;
  readonly stack: SoftwareStack;
  readonly model: ModelConfig;
  readonly precision: Precision;
}

/** What the memory runtime needs to know: the window, the costs, and one representative pass. */
export function memoryContext(options: ModelOnChip, rates: Rates, npu: NpuUnits): MemoryContext {
  const { profile, stack, model, precision } = options;
  const { window } = profile;
  const graph = graphFor(model, { ...REFERENCE_PASS, rows: profile.npu.matrixTile }, precision);
  const onNpu = stack.groups(graph, profile).filter((group) => group.device === 'npu');
  const placed = () =>
    onNpu.flatMap((group) => {
      const kernels = npu.timeGroup(group.ops, graph);
      return group.ops.map((op, at) => ({ op, computeMs: kernels[at]?.ms ?? 0 }));
    });
  return {
    window: { ...window, bytes: windowBytes(options) },
    costs: contextCosts(profile, rates),
    maxBufferBytes: stack.numbers.maxBufferBytes,
    slotBytes: stack.numbers.slotBytes,
    kvGrowthTokens: stack.numbers.kvGrowthTokens,
    kvBytesPerToken: kvBytesPerToken(options),
    reference: { graph, ops: onNpu.flatMap(({ ops }) => ops), placed },
  };
}

/** Driver and host costs of a profile. */
export function contextCosts({ driver }: HardwareProfile, rates: Rates): MemoryContext['costs'] {
  return {
    mapFixedMs: driver.mapFixed,
    mapMsPerByte: driver.mapPerByte / 1e6,
    maintenanceMsPerByte: driver.cacheMaintenance / 1e6,
    copyBytesPerMs: rates.copyBytesPerMs,
  };
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
  return profile.window.bytes * stack.sessions(npuWeights(options, stack.numbers), profile);
}

/** Bytes of all weights on the NPU; equal layers are counted once and multiplied. */
function npuWeights(
  { profile, stack, model, precision }: ModelOnChip,
  layout: Parameters<typeof opWeightBytes>[2],
): number {
  const { config, counts } = foldModel(model);
  const graph = graphFor(config, { ...REFERENCE_PASS, rows: profile.npu.matrixTile }, precision);
  let bytes = 0;
  for (const { device, ops } of stack.groups(graph, profile)) {
    if (device !== 'npu') continue;
    for (const op of ops) {
      bytes += opWeightBytes(graph, op, layout) * (op.layer === null ? 1 : (counts[op.layer] ?? 0));
    }
  }
  return bytes;
}

export function kvBytesPerToken({ model, precision }: ModelOnChip): number {
  return 2 * model.layers * model.kvHeads * model.headDim * (precision.kv === 'f16' ? 2 : 4);
}

/** One row tile through all layers and the head. */
const REFERENCE_PASS = { kvSets: [], logitsRows: 1, masked: false };
