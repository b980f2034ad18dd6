import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { writeCheckpoint } from '../../src/model/formats/write-checkpoint.js';
import { loadModel } from '../../src/model/load.js';
import { syntheticWeights } from '../../src/model/synthetic/weights.js';
import { requantised } from '../../src/model/weight-views.js';
import { rowCount, rowRanges, rowsOf, type WeightSource } from '../../src/model/weights.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const NONE = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
const size = { hidden: 64, headDim: 16, ffn: 96, kvHeads: 2, tiedHead: false };
const llada = tinyConfig({ ...size, arch: 'llada' });
const moe = tinyConfig({
  ...size,
  arch: 'llada-moe',
  kvHeads: 4,
  qkNorm: true,
  ffn: 0,
  moe: { experts: 3, expertsPerToken: 2, expertFfn: 32, renormalise: false },
});

describe('rows of a weight', () => {
  async function check(source: WeightSource): Promise<void> {
    const ids = fc.constantFrom(...source.names());
    const wholes = new Map<string, Uint8Array>();
    for (const id of source.names()) wholes.set(id, await source.readRaw(id));
    await fc.assert(
      fc.asyncProperty(ids, fc.nat(), fc.nat(), async (id, a, b) => {
        const rows = rowCount(source.info(id)?.shape ?? []);
        const first = a % rows;
        const count = 1 + (b % (rows - first));
        const whole = wholes.get(id)!;
        const rowBytes = whole.length / rows;
        expect(await rowsOf(source, id, first, count)).toEqual(
          whole.slice(first * rowBytes, (first + count) * rowBytes),
        );
      }),
      { numRuns: 200 },
    );
    await source.close();
  }

  it('of a GGUF file with reordered Q and K, as stored and in another format', async () => {
    const path = join(temporaryDirectory(), 'm.gguf');
    await writeModelGguf(llada, randomWeights(llada), path, 'q8_0', NONE);
    await check((await loadModel(path)).weights);
    const again = await loadModel(path);
    await check(requantised(again.weights, 'q4_0'));
  });

  it.each(['f32', 'f16', 'q8_0', 'q4_0'] as const)('of a synthetic model in %s', async (quant) => {
    await check(syntheticWeights(moe, quant, 3));
  });

  it('of safetensors, across the experts of a stack', async () => {
    const directory = temporaryDirectory();
    await writeCheckpoint(moe, randomWeights(moe), directory, 'f16', null);
    await check((await loadModel(directory)).weights);
  });
});

describe('a weight of several pieces', () => {
  /** Nine million values in the embedding: three pieces. */
  const large = tinyConfig({ ...size, layers: 1, vocab: 140_000, tiedHead: true });

  it('is cut at whole rows and whole heads', () => {
    const ranges = [...rowRanges([140_000, 64])];
    expect(ranges).toEqual([
      { first: 0, count: 65_536 },
      { first: 65_536, count: 65_536 },
      { first: 131_072, count: 8_928 },
    ]);
    expect([...rowRanges([512, 40_000], 128)]).toEqual(
      [0, 128, 256, 384].map((first) => ({ first, count: 128 })),
    );
    expect([...rowRanges([96, 1 << 23])]).toHaveLength(96);
  });

  it('goes through both formats bit for bit', async () => {
    const folder = temporaryDirectory();
    const [first, second] = [join(folder, 'a.gguf'), join(folder, 'b.gguf')];
    await writeModelGguf(large, randomWeights(large), first, 'f16', NONE);
    const gguf = await loadModel(first);
    const seen: number[] = [];
    await writeCheckpoint(gguf.config, gguf.weights, join(folder, large.name), null, null, {
      onProgress: (done) => seen.push(done),
    });
    expect(seen.length).toBeGreaterThan(gguf.weights.names().length);
    const back = await loadModel(join(folder, large.name));
    await writeModelGguf(back.config, back.weights, second, 'f16', NONE);
    expect(readFileSync(second).equals(readFileSync(first))).toBe(true);
    await gguf.weights.close();
    await back.weights.close();
  });
});
