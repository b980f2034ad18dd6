import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { KvRef, PassRow } from '../../src/pass/pass.js';
import { denoisePass, randomRows } from '../support/passes.js';
import { plainForward } from '../support/plain-forward.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const TOLERANCE = 1e-4;

function maxDifference(actual: ArrayLike<number>, expected: readonly (readonly number[])[]): number {
  const flat = expected.flat();
  expect(actual.length).toBe(flat.length);
  return flat.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[i]!)), 0);
}

const VARIANTS: Record<string, Partial<ModelConfig>> = {
  'dense, tied head': {},
  'grouped-query attention with QKV bias': { kvHeads: 2, qkvBias: true, tiedHead: false },
  'QK-norm': { qkNorm: true, tiedHead: false },
  'heads wider than the residual': { headDim: 12, heads: 3, kvHeads: 3 },
  'experts without renormalisation': {
    moe: { experts: 5, expertsPerToken: 2, expertFfn: 16, renormalise: false },
  },
  'experts with renormalisation': {
    moe: { experts: 4, expertsPerToken: 3, expertFfn: 16, renormalise: true },
  },
};

describe.each(['wasm', 'cpu'] as const)('tfjs engine on %s', (backend) => {
  it.each(Object.entries(VARIANTS))('agrees with plain loops: %s', async (_, overrides) => {
    const config = tinyConfig(overrides);
    const weights = randomWeights(config);
    const engine = await createTfjsEngine(config, weights, { backend });
    const rows = randomRows(config, 9, 7, 3);
    const expected = await plainForward(config, weights, rows);
    const { logits } = await engine.run(denoisePass(0, rows));
    expect(maxDifference(logits, expected.logits)).toBeLessThan(TOLERANCE);
    rows.forEach(({ position }, row) => {
      const kv = engine.readKv({ position, version: 0 });
      kv.k.forEach((k, layer) => {
        expect(maxDifference(k, [expected.k[layer]![row]!])).toBeLessThan(TOLERANCE);
        expect(maxDifference(kv.v[layer]!, [expected.v[layer]![row]!])).toBeLessThan(TOLERANCE);
      });
    });
    engine.dispose();
  });
});

describe('tfjs engine', () => {
  const config = tinyConfig();
  const weights = randomWeights(config);
  const create = () => createTfjsEngine(config, weights);

  it.each([
    ['all', () => true],
    ['causal', (i: number, j: number) => j <= i],
    ['self', (i: number, j: number) => i === j],
  ] as const)('hides own rows under visibility %s', async (visibility, sees) => {
    const engine = await create();
    const rows = randomRows(config, 7, 11);
    const expected = await plainForward(config, weights, rows, sees);
    const { logits } = await engine.run(denoisePass(0, rows, { visibility }));
    expect(maxDifference(logits, expected.logits)).toBeLessThan(TOLERANCE);
    engine.dispose();
  });

  it('reading a cached prefix equals one joint pass in which the prefix cannot see the rows', async () => {
    const engine = await create();
    const rows = randomRows(config, 14, 13);
    const prefix = rows.slice(0, 8);
    const window = rows.slice(8);
    await engine.run(denoisePass(0, prefix, { kind: 'prefill', logits: [] }));
    const reads = prefix.map(({ position }): KvRef => ({ position, version: 0 }));
    for (const visibility of ['all', 'self', 'causal'] as const) {
      const own = {
        all: () => true,
        self: (i: number, j: number) => i === j,
        causal: (i: number, j: number) => j <= i,
      };
      const sees = (i: number, j: number) => j < 8 || (i >= 8 && own[visibility](i, j));
      const expected = await plainForward(config, weights, rows, sees);
      const version = { all: 1, self: 2, causal: 3 }[visibility];
      const { logits } = await engine.run(denoisePass(version, window, { reads, visibility }));
      expect(maxDifference(logits, expected.logits.slice(8))).toBeLessThan(TOLERANCE);
    }
    engine.dispose();
  });

  it('filling the cache chunk by chunk equals one pass in which a row sees its chunk and those before', async () => {
    const engine = await create();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
        fc.integer(),
        async (lengths, seed) => {
          engine.retain([]);
          const chunkOf = lengths.flatMap((length, chunk) => new Array<number>(length).fill(chunk));
          const rows = randomRows(config, chunkOf.length, seed);
          const expected = await plainForward(config, weights, rows, (i, j) => chunkOf[j]! <= chunkOf[i]!);
          const reads: KvRef[] = [];
          for (const chunk of lengths.keys()) {
            const own = rows.filter((_, i) => chunkOf[i] === chunk);
            const { logits } = await engine.run(denoisePass(chunk, own, { reads: [...reads] }));
            const wanted = expected.logits.filter((_, i) => chunkOf[i] === chunk);
            expect(maxDifference(logits, wanted)).toBeLessThan(TOLERANCE);
            reads.push(...own.map(({ position }) => ({ position, version: chunk })));
          }
        },
      ),
      { numRuns: 40 },
    );
    engine.dispose();
  });

  it('reads the version of an entry that the pass names, also when only one entry changes', async () => {
    const engine = await create();
    const rows = randomRows(config, 6, 17);
    const other = { position: 2, feed: (rows[2]!.feed + 1) % config.vocab };
    await engine.run(denoisePass(0, rows.slice(0, 4), { logits: [] }));
    await engine.run(denoisePass(1, [...rows.slice(0, 2), other, rows[3]!], { logits: [] }));
    const reads = (version: number): KvRef[] => [0, 1, 2, 3].map((position) => ({ position, version }));
    const joint = async (third: PassRow) => {
      const all = [rows[0]!, rows[1]!, third, ...rows.slice(3)];
      return (await plainForward(config, weights, all, (i, j) => j < 4 || i >= 4)).logits.slice(4);
    };
    const window = rows.slice(4);
    const first = await engine.run(denoisePass(2, window, { reads: reads(0) }));
    expect(maxDifference(first.logits, await joint(rows[2]!))).toBeLessThan(TOLERANCE);
    const second = await engine.run(denoisePass(3, window, { reads: reads(1) }));
    expect(maxDifference(second.logits, await joint(other))).toBeLessThan(TOLERANCE);
    const third = await engine.run(denoisePass(4, window, { reads: reads(0) }));
    expect([...third.logits]).toEqual([...first.logits]);
    engine.dispose();
  });

  it('does not confuse the entries of two decodes that use the same versions', async () => {
    const engine = await create();
    const fresh = await create();
    const [a, b] = [randomRows(config, 6, 19), randomRows(config, 6, 23)];
    const decode = async (on: typeof engine, rows: PassRow[]) => {
      on.retain([]);
      await on.run(denoisePass(0, rows.slice(0, 4), { logits: [] }));
      const reads = [0, 1, 2, 3].map((position) => ({ position, version: 0 }));
      return [...(await on.run(denoisePass(1, rows.slice(4), { reads }))).logits];
    };
    await decode(engine, a);
    expect(await decode(engine, b)).toEqual(await decode(fresh, b));
    engine.dispose();
    fresh.dispose();
  });

  it('gives logits for the requested rows only, in the order asked', async () => {
    const engine = await create();
    const rows = randomRows(config, 6, 29);
    const { logits: all } = await engine.run(denoisePass(0, rows));
    const row = (i: number) => [...all.slice(i * config.vocab, (i + 1) * config.vocab)];
    const full = [0, 1, 2, 3, 4, 5].map(row);
    for (const [version, wanted] of [
      [1, [4]],
      [2, [1, 2, 3]],
      [3, [5, 0, 2]],
    ] as const) {
      const { logits } = await engine.run(denoisePass(version, rows, { logits: wanted }));
      expect(
        maxDifference(
          logits,
          wanted.map((i) => full[i]!),
        ),
      ).toBeLessThan(1e-5);
    }
    const none = await engine.run(denoisePass(4, rows, { logits: [] }));
    expect(none.logits.length).toBe(0);
    engine.dispose();
  });

  it('gives the same result in whatever order the rows come', async () => {
    const engine = await create();
    const rows = randomRows(config, 8, 31);
    const { logits } = await engine.run(denoisePass(0, rows));
    const order = [3, 7, 0, 5, 1, 6, 2, 4];
    const shuffled = await engine.run(
      denoisePass(
        1,
        order.map((i) => rows[i]!),
      ),
    );
    const expected = order.map((i) => [...logits.slice(i * config.vocab, (i + 1) * config.vocab)]);
    expect(maxDifference(shuffled.logits, expected)).toBeLessThan(TOLERANCE);
    engine.dispose();
  });

  it('repeats bit for bit, within an engine and across engines', async () => {
    const rows = randomRows(config, 33, 37);
    const results: number[][] = [];
    for (let copy = 0; copy < 2; copy++) {
      const engine = await create();
      for (let version = 0; version < 2; version++) {
        results.push([...(await engine.run(denoisePass(version, rows))).logits]);
      }
      engine.dispose();
    }
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it('leaks no tensors', async () => {
    const before = tf.memory().numTensors;
    const engine = await create();
    const rows = randomRows(config, 12, 41);
    const counts = new Set<number>();
    for (let round = 0; round < 4; round++) {
      engine.retain([]);
      await engine.run(denoisePass(0, rows.slice(0, 6), { logits: [] }));
      const reads = rows.slice(0, 6).map(({ position }) => ({ position, version: 0 }));
      await engine.run(denoisePass(1, rows.slice(6), { reads }));
      await engine.run(denoisePass(2, rows.slice(6), { reads, visibility: 'self', logits: [5, 0] }));
      counts.add(tf.memory().numTensors);
    }
    expect(counts.size).toBe(1);
    engine.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses entries that do not exist and ids outside the vocabulary', async () => {
    const engine = await create();
    const rows = randomRows(config, 4, 43);
    await expect(engine.run(denoisePass(0, rows, { reads: [{ position: 9, version: 7 }] }))).rejects.toThrow(
      /KV of position 9 version 7 does not exist/,
    );
    await expect(engine.run(denoisePass(0, [{ position: 0, feed: 40 }]))).rejects.toThrow(
      /token id 40 is outside/,
    );
    await engine.run(denoisePass(0, rows));
    engine.retain([{ position: 1, version: 0 }]);
    expect(() => engine.readKv({ position: 0, version: 0 })).toThrow(/position 0 version 0/);
    expect(engine.readKv({ position: 1, version: 0 }).k).toHaveLength(config.layers);
    engine.dispose();
    await expect(engine.run(denoisePass(1, rows))).rejects.toThrow(/disposed/);
  });

  it('refuses weights of another shape', async () => {
    await expect(createTfjsEngine(tinyConfig({ ffn: 64 }), weights)).rejects.toThrow(
      /random weights: weight blk.0.ffn_gate.weight has shape \[48, 32\], tiny-random needs \[64, 32\]/,
    );
    await expect(createTfjsEngine(tinyConfig({ tiedHead: false }), weights)).rejects.toThrow(
      /weight output.weight of tiny-random is missing/,
    );
  });
});
