import fc from 'fast-check';
import { loadProfile, overrideProfile } from '../../sim/hardware/load-profile.js';
import type { HardwareProfile } from '../../sim/hardware/schema.js';
import type { ChunkCost, Pipeline } from '../../sim/machine/pipeline.js';
import { classify } from '../../sim/memory/lifetimes.js';
import { layoutScratch } from '../../sim/memory/scratch-layout.js';
import type { ModelConfig } from '../../src/model/config.js';
import { graphFor } from '../../src/model/graph-cache.js';
import { precisionFor } from '../../src/model/precision.js';
import type { PassShape } from '../../src/pass/shape.js';

/** Runs per law; `npm run fuzz` raises it. What a law does not say of a value, the tables of costs do. */
export const RUNS = Number(process.env.DLLM_FUZZ_RUNS ?? 40);

const multipleOf = (step: number, least: number, most: number) =>
  fc.integer({ min: least / step, max: most / step }).map((count) => count * step);

/** Small models of every shape the graph builder knows. */
export const smallModel: fc.Arbitrary<ModelConfig> = fc
  .record({
    layers: fc.integer({ min: 1, max: 3 }),
    kvHeads: fc.integer({ min: 1, max: 3 }),
    group: fc.integer({ min: 1, max: 2 }),
    headDim: fc.constantFrom(32, 64),
    ffn: multipleOf(32, 32, 512),
    vocab: multipleOf(32, 32, 512),
    qkNorm: fc.boolean(),
    qkvBias: fc.boolean(),
    moe: fc.option(
      fc.record({ experts: fc.integer({ min: 2, max: 6 }), perToken: fc.integer({ min: 1, max: 2 }) }),
    ),
  })
  .map(({ layers, kvHeads, group, headDim, ffn, vocab, qkNorm, qkvBias, moe }) => ({
    name: 'small',
    arch: 'llada' as const,
    layers,
    hidden: kvHeads * group * headDim,
    kvHeads,
    headDim,
    heads: kvHeads * group,
    ffn,
    vocab,
    ropeTheta: 10_000,
    rmsEps: 1e-5,
    qkvBias,
    qkNorm,
    tiedHead: false,
    ...(moe === null
      ? {}
      : { moe: { experts: moe.experts, expertsPerToken: moe.perToken, expertFfn: ffn, renormalise: false } }),
    shiftLogits: false,
    attention: 'bidirectional' as const,
    contextLength: 512,
    maskId: 1,
    bosId: null,
    endIds: [0],
  }));

export const passShapes: fc.Arbitrary<PassShape> = fc
  .record({
    rows: fc.integer({ min: 1, max: 100 }),
    prefix: fc.integer({ min: 0, max: 400 }),
    logits: fc.integer({ min: 0, max: 100 }),
    masked: fc.boolean(),
  })
  .map(({ rows, prefix, logits, masked }) => ({
    rows,
    masked,
    logitsRows: Math.min(rows, logits),
    kvSets: prefix === 0 ? [] : [{ name: 'prefix', length: prefix }],
  }));

const BASE = loadProfile('sm8750');

/** Numbers whose growth speeds a machine up, with a unit and plausible extremes. */
export const FASTER: Readonly<Record<string, { unit: string; least: number; most: number }>> = {
  'npu.clock': { unit: 'GHz', least: 0.5, most: 4 },
  'npu.vectorThreads': { unit: '', least: 1, most: 16 },
  'npu.matrixMacsPerCycle': { unit: '', least: 64, most: 16384 },
  'npu.dequantWeightsPerCycle': { unit: '', least: 0.5, most: 64 },
  'npu.convertElementsPerCycle': { unit: '', least: 0.5, most: 64 },
  'npu.dmaRate': { unit: 'GB/s', least: 1, most: 200 },
  'npu.dmaRateBesideMatrix': { unit: 'GB/s', least: 1, most: 200 },
  'npu.directReadRate': { unit: 'GB/s', least: 1, most: 100 },
  'cpu.gemvQ4Rate': { unit: 'GB/s', least: 1, most: 100 },
  'cpu.gemvQ8Rate': { unit: 'GB/s', least: 1, most: 100 },
  'cpu.sharedCopyRate': { unit: 'GB/s', least: 0.05, most: 40 },
  'cpu.readRate': { unit: 'GB/s', least: 1, most: 200 },
};

/** Numbers whose growth slows a machine down. */
export const SLOWER: Readonly<Record<string, { unit: string; least: number; most: number }>> = {
  'npu.dmaLatency': { unit: 'us', least: 0, most: 20 },
  'driver.remoteCall': { unit: 'us', least: 0, most: 500 },
  'driver.cacheMaintenance': { unit: 'us/MB', least: 0, most: 200 },
  'driver.mapFixed': { unit: 'us', least: 0, most: 500 },
  'driver.mapPerByte': { unit: 'us/MB', least: 0, most: 100 },
};

const knob = fc.constantFrom(...Object.keys({ ...FASTER, ...SLOWER }));

/** A few numbers of a profile anywhere in their extremes. */
export const changes: fc.Arbitrary<Readonly<Record<string, string>>> = fc
  .array(fc.tuple(knob, fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 6 })
  .map((choices) => {
    const overrides: Record<string, string> = {};
    for (const [path, at] of choices) {
      const entry = FASTER[path] ?? SLOWER[path];
      if (entry === undefined) continue;
      overrides[path] = `${(entry.least + at * (entry.most - entry.least)).toFixed(6)} ${entry.unit}`;
    }
    return overrides;
  });

const cost: fc.Arbitrary<ChunkCost> = fc.record({
  loadMs: fc.double({ min: 0.001, max: 2, noNaN: true }),
  decodeMs: fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 2, noNaN: true })),
  multiplyMs: fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 2, noNaN: true })),
  finishMs: fc.double({ min: 0.001, max: 2, noNaN: true }),
  storeMs: fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 2, noNaN: true })),
});

/** Operators with arbitrary stage times. */
export const pipelines: fc.Arbitrary<Pipeline> = fc
  .record({
    path: fc.constantFrom('dma' as const, 'l2' as const),
    tiles: fc.integer({ min: 1, max: 4 }),
    setup: fc.record({
      loadMs: fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 2, noNaN: true })),
      convertMs: fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 2, noNaN: true })),
    }),
    chunk: cost,
    fullChunks: fc.integer({ min: 0, max: 12 }),
    rest: fc.option(cost),
  })
  .filter(({ fullChunks, rest }) => fullChunks > 0 || rest !== null)
  // The last chunk goes through the stages the others go through.
  .map((pipeline) => ({
    ...pipeline,
    rest: pipeline.rest === null ? null : sameStages(pipeline.chunk, pipeline.rest),
  }));

function sameStages(chunk: ChunkCost, rest: ChunkCost): ChunkCost {
  return {
    ...rest,
    decodeMs: chunk.decodeMs === 0 ? 0 : Math.max(rest.decodeMs, 0.001),
    multiplyMs: chunk.multiplyMs === 0 ? 0 : Math.max(rest.multiplyMs, 0.001),
  };
}

/** How much of the weights' bytes the window of a tight machine has room for, beside everything else. */
export const tightness = fc.double({ min: 0, max: 1.3, noNaN: true });

/**
 * A profile whose address window holds KV, activations, `share` of the weights and room for one operator twice,
 * so that small models meet the limits that an 8B model meets on a phone.
 */
export function tighten(
  overrides: Readonly<Record<string, string>>,
  model: ModelConfig,
  shapes: readonly PassShape[],
  share: number,
): HardwareProfile {
  const alignment = 4096;
  const precision = precisionFor('q4_0');
  const full = graphFor(model, { rows: 32, kvSets: [], logitsRows: 1, masked: false }, precision);
  const onNpu = full.ops.filter((op) => op.layer !== null);
  const { weights } = classify(full, onNpu);
  const total = weights.reduce((sum, weight) => sum + weight.bytes, 0);
  const largest = onNpu.reduce(
    (most, op) =>
      Math.max(
        most,
        op.weights.reduce((sum, id) => sum + (full.tensors.get(id)?.bytes ?? 0), 0),
      ),
    0,
  );
  let regionBytes = 0;
  for (const shape of shapes) {
    const keys = shape.rows + shape.kvSets.reduce((sum, set) => sum + set.length, 0);
    const tokens = Math.ceil(keys / 256) * 256;
    const graph = graphFor(model, shape, precision);
    const scratch = layoutScratch(
      classify(
        graph,
        graph.ops.filter((op) => op.layer !== null),
      ).activations,
    ).bytes;
    const kv = tokens * 4 * model.layers * model.kvHeads * model.headDim;
    regionBytes = Math.max(regionBytes, kv + (scratch / shape.rows) * tokens);
  }
  // Units gather gains and small tensors beside an operator's weights, so one may exceed them by a little.
  const least = 3 * (1.1 * largest + 4 * alignment) + 10 * alignment;
  const window = regionBytes + Math.max(least, share * total + 6 * alignment);
  return overrideProfile(BASE, {
    ...overrides,
    'window.bytes': `${Math.ceil(window)} B`,
    'window.alignment': `${alignment} B`,
  });
}

/** A small model, passes over it, and a phone whose window is tight for it. */
export const scenarios = fc.record({
  overrides: changes,
  model: smallModel,
  shapes: fc.array(passShapes, { minLength: 1, maxLength: 4 }),
  share: tightness,
});

/** The profile of a scenario. */
export function profileOf({ overrides, model, shapes, share }: Scenario): HardwareProfile {
  return tighten(overrides, model, shapes, share);
}

export type Scenario = typeof scenarios extends fc.Arbitrary<infer T> ? T : never;
