import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { checkWindow, mayStage, memoryContext } from '../../../sim/machine/memory-context.js';
import { NpuUnits } from '../../../sim/machine/npu-unit.js';
import { Names, preparePass } from '../../../sim/machine/prepare.js';
import { ratesOf } from '../../../sim/machine/rates.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import type { SoftwareStack } from '../../../sim/stacks/stack.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { graphFor } from '../../../src/model/graph-cache.js';
import { precisionFor } from '../../../src/model/precision.js';
import { resolvePreset } from '../../../src/model/presets.js';
import { PREFIX_SET } from '../../../src/pass/shape.js';
import { MODELS } from '../costs/models.js';

const own = loadProfile('sm8750');
/** 0.05 ms for a megabyte of maintenance; copies at 20 GB/s. */
const profile = {
  ...own,
  driver: { ...own.driver, cacheMaintenance: 0.05 },
  cpu: { ...own.cpu, sharedCopyRate: 20 },
};

/** One layer of 1024 wide rows in F16, keys and values of 1024 elements each, and a vocabulary of 151936. */
const model = { ...resolvePreset('qwen3-0.6b'), layers: 1 };

function prepared(stack: SoftwareStack, rows: number) {
  const kvSets = [{ name: PREFIX_SET, length: 100 }];
  const graph = graphFor(model, { rows, kvSets, logitsRows: rows, masked: false }, precisionFor('q4_0'));
  const context = { profile, stack, rates: ratesOf(profile, false, stack.weightStream) };
  const npu = new NpuUnits(context);
  const cpu = { cpuThreads: 4, cpuBytesPerMs: 1e9 };
  const at = { profile, stack, npu, npuBesideCopy: npu, names: new Names(), ...cpu };
  return { npu, graph, pass: preparePass(graph, at, () => 0) };
}

const withNumbers = (name: string, numbers: Partial<SoftwareStack['numbers']>): SoftwareStack => {
  const stack = stackByName(name);
  return { ...stack, numbers: { ...stack.numbers, ...numbers } };
};

describe('a pass that is prepared', () => {
  it('flushes what a whole graph takes and gives, and the cache that the host holds', () => {
    const { pass } = prepared(stackByName('qnn'), 32);
    // Hidden states, positions and the rows that get logits in; logits in F32 out; keys and values in 8 bits.
    const bytes = 32 * 1024 * 2 + 2 * 32 * 4 + 32 * 151_936 * 4 + 2 * 100 * 1024;
    const dispatches = pass.maintenanceMs.filter((ms) => ms >= 0);
    expect(dispatches).toHaveLength(1);
    expect(dispatches[0]).toBeCloseTo((bytes / 1e6) * 0.05, 9);
  });

  it('copies the rows that cross between processors, once each way', () => {
    const { pass } = prepared(withNumbers('llada.cpp', { splitMs: 1 }), 32);
    const copies = pass.copyMs.filter((ms) => ms >= 0);
    // Hidden states from the embedding to the layer, and from the layer to the head.
    expect(pass.splits).toBe(2);
    expect(copies).toHaveLength(2);
    for (const ms of copies) expect(ms).toBeCloseTo((32 * 1024 * 2) / 20e6, 12);
    // Where a split has no cost of its own, the calls hold it.
    const held = prepared(withNumbers('llada.cpp', { splitMs: 0 }), 32).pass.copyMs;
    expect([...held.filter((ms) => ms >= 0)]).toEqual([0, 0]);
  });

  it('fills the matrix unit from the first row that goes there', () => {
    const stack = withNumbers('llada.cpp', { matrixFromRows: 8, rowTiles: 1 });
    expect(prepared(stack, 7).pass.usefulRowFraction).toBe(1);
    expect(prepared(stack, 8).pass.usefulRowFraction).toBe(8 / 32);
    expect(prepared(stack, 40).pass.usefulRowFraction).toBe(40 / 64);
  });

  it('simulates equal operators once', () => {
    const { npu, graph, pass } = prepared(stackByName('llada.cpp'), 32);
    const [gate, up] = ['ffn_gate', 'ffn_up'].map((name) => graph.ops.find(({ id }) => id.endsWith(name)));
    if (gate === undefined || up === undefined) throw new Error('no gate');
    expect(npu.time(up, graph)).toBe(npu.time(gate, graph));
    const work = (id: string) => pass.work[pass.all.findIndex((op) => op.id === id)];
    expect(work(up.id)).toMatchObject({ kernel: npu.time(gate, graph) });
  });
});

describe('whether weights may have to be staged', () => {
  // Four square matrices and three of the feed-forward in 4.5 bits, two norms in F32, in 32 layers; 4096 keys and values in F16.
  const weights = 32 * ((4 * 4096 * 4096 + 3 * 4096 * 12_288) * (4.5 / 8) + 2 * 4096 * 4);
  const cache = 4096 * 32 * 2 * 4096 * 2;
  const of = (stack: string, bytes: number): boolean =>
    mayStage({
      profile: { ...own, window: { ...own.window, bytes } },
      stack: stackByName(stack),
      model: resolvePreset('llada-8b'),
      precision: precisionFor('q4_0'),
    });

  it('is asked of the tenth of the window that they and a full cache leave', () => {
    const most = (weights + cache) / 0.9;
    expect(of('llada.cpp', Math.ceil(most))).toBe(false);
    expect(of('llada.cpp', Math.floor(most))).toBe(true);
  });

  it('is not asked where exactly that tenth is left', () => {
    // As long a context as makes nine tenths of a window a whole number of bytes.
    const preset = resolvePreset('llada-8b');
    const perPosition = cache / 4096;
    const contextLength = [0, 1, 2, 3, 4, 5, 6, 7, 8].find((n) => (weights + n * perPosition) % 9 === 0);
    if (contextLength === undefined) throw new Error('no such context');
    const bytes = ((weights + contextLength * perPosition) / 9) * 10;
    const isAsked = (size: number) =>
      mayStage({
        profile: { ...own, window: { ...own.window, bytes: size } },
        stack: stackByName('llada.cpp'),
        model: { ...preset, contextLength },
        precision: precisionFor('q4_0'),
      });
    expect(isAsked(bytes)).toBe(false);
    expect(isAsked(bytes - 1)).toBe(true);
  });

  it('is no question where none are on the NPU', () => {
    expect(of('cpu', 1000)).toBe(false);
  });
});

describe('a window', () => {
  const onChip = (of: ModelConfig, bytes: number, stack = 'llada.cpp', precision = precisionFor('q4_0')) => ({
    profile: { ...own, window: { ...own.window, bytes } },
    stack: stackByName(stack),
    model: of,
    precision,
  });

  it('holds the weights of any one operator, to the byte', () => {
    // Of the feed-forward: 3072 times 1024 weights in 4.5 bits.
    const most = 3072 * 1024 * (4.5 / 8);
    expect(() => checkWindow(onChip(model, most))).not.toThrow();
    expect(() => checkWindow(onChip(model, most - 1))).toThrow(/blk\.0\.ffn_gate\.weight .* is 1 B larger/);
  });

  it('is refused by the name of the largest weight', () => {
    const tensors = { 'blk.0.ffn_down_exps.weight': 'f16' as const };
    const routed = { ...MODELS.routed, layers: 1 } as ModelConfig;
    const chip = onChip(routed, 10_000, 'llada.cpp', precisionFor('q4_0', { tensors }));
    expect(() => checkWindow(chip)).toThrow(/^blk\.0\.ffn_down_exps\.weight/);
  });

  it('is asked for all weights, whatever a first pass reads', () => {
    const chip = onChip(model, 1 << 30, 'nntrainer');
    const rates = ratesOf(chip.profile, false);
    const npu = new NpuUnits({ ...chip, rates });
    const weightsOf = (rows: number, logitsRows: number) =>
      memoryContext(chip, rates, npu, { rows, kvSets: [], logitsRows, masked: false }).weights;
    const { weights } = memoryContext(chip, rates, npu);
    expect(weights.length).toBeGreaterThan(6);
    // A single row runs elsewhere, and a pass without logits has no head.
    for (const [rows, logits] of [
      [1, 1],
      [33, 0],
      [2, 1],
    ])
      expect(weightsOf(rows, logits)).toEqual(weights);
  });
});
