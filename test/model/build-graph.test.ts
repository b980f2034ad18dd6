import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildGraph } from '../../src/model/build-graph.js';
import { kvBytesPerToken, parameterCount, passMacs, weightBytes } from '../../src/model/closed-forms.js';
import type { ModelConfig } from '../../src/model/config.js';
import { bytesOf } from '../../src/model/dtype.js';
import type { OpGraph, TensorInfo } from '../../src/model/graph.js';
import { graphFor } from '../../src/model/graph-cache.js';
import { precisionFor, QUANTS } from '../../src/model/precision.js';
import { presetNames, resolvePreset } from '../../src/model/presets.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import type { PassShape } from '../../src/pass/shape.js';

const MIB = 2 ** 20;
const denoise: PassShape = {
  rows: 32,
  kvSets: [{ name: 'prefix', length: 96 }],
  logitsRows: 32,
  masked: false,
};

function tensor(graph: OpGraph, id: string): TensorInfo {
  const found = graph.tensors.get(id);
  if (found === undefined) throw new Error(`no tensor ${id}`);
  return found;
}

const byRole = (graph: OpGraph, role: TensorInfo['role']) =>
  [...graph.tensors.values()].filter((t) => t.role === role);

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

const configs: fc.Arbitrary<ModelConfig> = fc
  .record({
    layers: fc.integer({ min: 1, max: 3 }),
    kvHeads: fc.integer({ min: 1, max: 3 }),
    group: fc.integer({ min: 1, max: 3 }),
    headDim: fc.constantFrom(32, 64),
    ffn: fc.constantFrom(32, 96),
    vocab: fc.integer({ min: 1, max: 70 }),
    qkvBias: fc.boolean(),
    qkNorm: fc.boolean(),
    tiedHead: fc.boolean(),
    draftAdapter: fc.option(fc.record({ rank: fc.integer({ min: 1, max: 9 }) }), { nil: undefined }),
    moe: fc.option(
      fc.record({
        experts: fc.integer({ min: 2, max: 5 }),
        expertsPerToken: fc.integer({ min: 1, max: 2 }),
        expertFfn: fc.constantFrom(32, 64),
        renormalise: fc.boolean(),
      }),
      { nil: undefined },
    ),
  })
  .map(({ group, moe, ...rest }) => ({
    name: 'random',
    arch: 'llada' as const,
    hidden: 64,
    heads: group * rest.kvHeads,
    ropeTheta: 1e4,
    rmsEps: 1e-5,
    shiftLogits: false,
    attention: 'bidirectional' as const,
    contextLength: 64,
    maskId: 0,
    bosId: null,
    endIds: [0],
    ...rest,
    ...(moe === undefined ? {} : { moe }),
  }));

const shapes: fc.Arbitrary<PassShape> = fc
  .record({
    rows: fc.integer({ min: 1, max: 9 }),
    kv: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
    logits: fc.nat({ max: 9 }),
    masked: fc.boolean(),
    adapter: fc.constantFrom(true, undefined),
  })
  .map(({ rows, kv, logits, masked, adapter }) => ({
    rows,
    kvSets: kv.map((length, i) => ({ name: `set${i}`, length })),
    logitsRows: Math.min(rows, logits),
    masked,
    adapter,
  }));

describe('structure', () => {
  it('is topologically ordered, with one producer and a reader for every activation', () => {
    fc.assert(
      fc.property(configs, shapes, (config, shape) => {
        const graph = buildGraph(config, shape, precisionFor('q4_0'));
        const written = new Set<string>();
        for (const op of graph.ops) {
          for (const id of op.inputs) {
            const input = tensor(graph, id);
            if (input.role === 'activation' || input.role === 'output') expect(written).toContain(id);
            else expect(input.producer).toBeNull();
            expect(input.consumers).toContain(op.id);
          }
          for (const id of op.weights) expect(tensor(graph, id).role).toBe('weight');
          for (const id of op.outputs) {
            expect(written).not.toContain(id);
            expect(tensor(graph, id).producer).toBe(op.id);
            written.add(id);
          }
        }
        expect(new Set(graph.ops.map((op) => op.id)).size).toBe(graph.ops.length);
        for (const t of graph.tensors.values()) {
          if (t.role === 'activation' || t.role === 'output') expect(written).toContain(t.id);
          const unread = t.role === 'output' || t.id === 'positions';
          if (!unread) expect(t.consumers.length, t.id).toBeGreaterThan(0);
          expect(t.bytes).toBe(bytesOf(t.shape, t.dtype));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has shapes that agree along every edge', () => {
    fc.assert(
      fc.property(configs, shapes, (config, shape) => {
        const graph = buildGraph(config, shape, precisionFor('f32'));
        const at = (id: string | undefined) => tensor(graph, id ?? '').shape;
        for (const op of graph.ops) {
          const out = at(op.outputs[0]);
          switch (op.kind) {
            case 'embed':
              expect(at(op.weights[0])).toEqual([config.vocab, op.width]);
              expect(out).toEqual([op.rows, op.width]);
              break;
            case 'matmul':
              expect(at(op.inputs[0])).toEqual([op.rows, op.inWidth]);
              expect(at(op.weights[0])).toEqual([op.outWidth, op.inWidth]);
              expect(op.weights.length).toBe(op.bias ? 2 : 1);
              expect(out).toEqual([op.rows, op.outWidth]);
              break;
            case 'rmsnorm':
              expect(at(op.inputs[0])).toEqual(out);
              expect(at(op.weights[0])).toEqual([op.width / op.groups]);
              break;
            case 'rope':
              expect(out).toEqual([op.rows, op.heads * op.headDim]);
              expect(at(op.inputs[0])).toEqual(out);
              break;
            case 'attention': {
              const kvWidth = op.kvHeads * op.headDim;
              expect(at(op.inputs[0])).toEqual([op.rows, op.heads * op.headDim]);
              expect(at(op.inputs[1])).toEqual([op.rows, kvWidth]);
              expect(at(op.inputs[2])).toEqual([op.rows, kvWidth]);
              op.kvSets.forEach((set, i) => {
                expect(set.length).toBeGreaterThan(0);
                expect(at(op.inputs[3 + 2 * i])).toEqual([set.length, kvWidth]);
                expect(at(op.inputs[4 + 2 * i])).toEqual([set.length, kvWidth]);
              });
              expect(op.keys).toBe(op.rows + sum(op.kvSets.map((set) => set.length)));
              if (op.masked) expect(at(op.inputs.at(-1))).toEqual([op.rows, op.keys]);
              expect(op.inputs.length).toBe(3 + 2 * op.kvSets.length + (op.masked ? 1 : 0));
              break;
            }
            case 'swiglu':
            case 'add':
              expect(at(op.inputs[0])).toEqual(out);
              expect(at(op.inputs[1])).toEqual(out);
              break;
            case 'gather-rows':
              expect(at(op.inputs[1])).toEqual([op.rows]);
              expect(out).toEqual([op.rows, op.width]);
              break;
            case 'moe':
              expect(at(op.inputs[1])).toEqual([op.rows, op.experts]);
              expect(out).toEqual([op.rows, op.width]);
              break;
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('sums to the closed forms', () => {
    fc.assert(
      fc.property(configs, shapes, fc.constantFrom(...QUANTS), (config, shape, quant) => {
        const precision = precisionFor(quant);
        const graph = buildGraph(config, shape, precision);
        expect(sum(graph.ops.map((op) => op.macs))).toBe(passMacs(config, shape));
        const full = buildGraph(config, { ...shape, logitsRows: 1, adapter: true }, precision);
        const weights = byRole(full, 'weight');
        expect(sum(weights.map((t) => sum([t.shape.reduce((a, b) => a * b)])))).toBe(
          parameterCount(config).total,
        );
        expect(sum(weights.map((t) => t.bytes))).toBe(weightBytes(config, precision).total);
        const fresh = graph.freshKv.flatMap(({ k, v }) => [tensor(graph, k).bytes, tensor(graph, v).bytes]);
        expect(sum(fresh)).toBe(shape.rows * kvBytesPerToken(config, precision.kv));
        const shapesById = Object.fromEntries(weights.map((t) => [t.id, t.shape]));
        expect(shapesById).toEqual(Object.fromEntries(weightShapes(config)));
      }),
      { numRuns: 200 },
    );
  });

  it('gives a pass without logits no head and nothing after the last K and V', () => {
    const graph = buildGraph(resolvePreset('llada-8b'), { ...denoise, logitsRows: 0 }, precisionFor('q4_0'));
    expect(graph.logits).toBeNull();
    expect(graph.freshKv).toHaveLength(32);
    expect(graph.tensors.has('output.weight')).toBe(false);
    expect(graph.ops.filter((op) => op.kind === 'attention')).toHaveLength(31);
    expect(graph.ops.filter((op) => op.kind === 'swiglu')).toHaveLength(31);
  });

  it('computes the head for the requested rows only', () => {
    const graph = buildGraph(resolvePreset('llada-8b'), { ...denoise, logitsRows: 5 }, precisionFor('q4_0'));
    expect(tensor(graph, graph.logits ?? '').shape).toEqual([5, 126464]);
    const norm = graph.ops.find((op) => op.id === 'output_norm');
    expect(norm?.kind === 'rmsnorm' && norm.rows).toBe(5);
  });

  it('refuses impossible shapes', () => {
    const build = (shape: Partial<PassShape>) => () =>
      buildGraph(resolvePreset('llada-8b'), { ...denoise, ...shape }, precisionFor('f16'));
    expect(build({ rows: 0 })).toThrow(/at least one row/);
    expect(build({ logitsRows: 33 })).toThrow(/between 0 and 32/);
    expect(build({ kvSets: [{ name: 'prefix', length: -1 }] })).toThrow(/length -1/);
    expect(build({ kvSets: [denoise.kvSets[0], denoise.kvSets[0]] })).toThrow(/twice/);
  });
});

describe('published models', () => {
  const billions = (name: string) => parameterCount(resolvePreset(name)).total / 1e9;

  it('have their known number of parameters', () => {
    expect(billions('llada-8b')).toBeCloseTo(8.02, 2);
    expect(billions('llama-3-8b')).toBeCloseTo(8.03, 2);
    expect(billions('dream-7b')).toBeCloseTo(7.62, 2);
    expect(billions('llada-moe-7b-a1b')).toBeCloseTo(7.36, 2);
  });

  it('have their known sizes', () => {
    const llada = weightBytes(resolvePreset('llada-8b'), precisionFor('q4_0'));
    expect(llada.body / MIB).toBe(3744);
    expect(llada.head / MIB).toBeCloseTo(278, 0);
    expect(kvBytesPerToken(resolvePreset('llada-8b'), 'f16')).toBe(512 * 1024);
    expect(kvBytesPerToken(resolvePreset('dream-7b'), 'f16')).toBe(56 * 1024);
  });

  it('agree with their graphs', () => {
    for (const name of presetNames()) {
      const config = resolvePreset(name);
      if (config.timed !== undefined) continue;
      const all = { ...denoise, adapter: true } as const;
      const graph = graphFor(config, all, precisionFor('q4_0'));
      expect(sum(graph.ops.map((op) => op.macs)), name).toBe(passMacs(config, all));
      expect(sum(byRole(graph, 'weight').map((t) => t.bytes)), name).toBe(
        weightBytes(config, precisionFor('q4_0')).total,
      );
    }
  });

  it('that are only timed have the published number of parameters, and no engine takes them', () => {
    const published = {
      'qwen3.5-0.8b': 0.75,
      'qwen3.5-2b': 1.88,
      'qwen3.5-4b': 4.2,
      'qwen3.5-9b': 8.95,
      'lfm2.5-230m': 0.23,
      'lfm2-350m': 0.354,
      'lfm2-1.2b': 1.17,
      'lfm2-8b-a1b': 8.34,
      'gpt-oss-20b': 20.9,
      'diffusiongemma-26b-a4b': 25.2,
    };
    for (const [name, billions] of Object.entries(published)) {
      const graph = graphFor(resolvePreset(name), denoise, precisionFor('f16'));
      const weights = byRole(graph, 'weight').filter(({ dtype }) => dtype === 'f16');
      const total = sum(weights.map(({ bytes }) => bytes / 2)) / 1e9;
      expect(Math.abs(total / billions - 1), `${name}: ${total}`).toBeLessThan(0.03);
      expect(() => weightShapes(resolvePreset(name)), name).toThrow(
        new RegExp(`${name} can be timed, not run`),
      );
    }
    // The per-layer embedding of Gemma 4 E2B (2.35 G) is looked up on the host and is not in the graph.
    const gemma = graphFor(resolvePreset('gemma-4-e2b'), denoise, precisionFor('f16'));
    const total = sum(byRole(gemma, 'weight').map(({ bytes }) => bytes / 2)) / 1e9;
    expect(total).toBeGreaterThan(2.1);
    expect(total).toBeLessThan(2.5);
  });

  it('DiffusionGemma: layers without V, and the step before comes in through a product as large as the head', () => {
    const config = resolvePreset('diffusiongemma-26b-a4b');
    const shape: PassShape = {
      rows: 256,
      kvSets: [{ name: 'prefix', length: 2000 }],
      logitsRows: 256,
      masked: false,
    };
    const graph = graphFor(config, shape, precisionFor('f16'));
    expect(graph.tensors.has('blk.4.attn_v.weight')).toBe(true);
    expect(graph.tensors.has('blk.5.attn_v.weight')).toBe(false);
    const keys = (layer: number) => {
      const op = graph.ops.find(({ id }) => id === `blk.${layer}.attn`);
      return op?.kind === 'attention' ? [op.keys, op.kvHeads, op.headDim] : [];
    };
    expect(keys(0)).toEqual([256 + 1023, 8, 256]);
    expect(keys(5)).toEqual([256 + 2000, 2, 512]);
    const macs = (id: string) => graph.ops.find((op) => op.id === id)?.macs;
    expect(macs('expected_embd')).toBe(256 * 262_144 * 2816);
    const head = graph.ops.find(
      (op) => op.kind === 'matmul' && op.role === 'head' && op.id !== 'expected_embd',
    );
    expect(macs('expected_embd')).toBe(head?.macs);
    // A prompt pass has no step before it, and no logits.
    const prompt = graphFor(config, { ...shape, logitsRows: 0 }, precisionFor('f16'));
    expect(prompt.ops.some(({ id }) => id === 'expected_embd')).toBe(false);
  });

  it('are found by name, and a wrong name gets the nearest ones', () => {
    expect(resolvePreset('LLaDA-8B').hidden).toBe(4096);
    expect(() => resolvePreset('llada-8')).toThrow(/unknown model "llada-8": did you mean llada-8b/);
    expect(() => resolvePreset('zzzzzzzzzz')).toThrow(/known: llada-8b, dream-7b/);
  });
});

describe('graphFor', () => {
  it('returns the same graph for the same shape and a different one otherwise', () => {
    const config = resolvePreset('dream-7b');
    const first = graphFor(config, denoise, precisionFor('q4_0'));
    expect(graphFor(config, { ...denoise }, precisionFor('q4_0'))).toBe(first);
    expect(graphFor(config, denoise, precisionFor('f16'))).not.toBe(first);
    expect(graphFor(config, { ...denoise, masked: true }, precisionFor('q4_0'))).not.toBe(first);
    expect(graphFor(config, { ...denoise, logitsRows: 3 }, precisionFor('q4_0'))).not.toBe(first);
    expect(graphFor(config, { ...denoise, adapter: true }, precisionFor('q4_0'))).not.toBe(first);
  });
});
