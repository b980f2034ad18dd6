import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGgmlEngine } from '../../../src/engine/ggml/engine.js';
import { hasGgml } from '../../../src/engine/ggml/package.js';
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { WEIGHT_DTYPES, type WeightDType } from '../../../src/model/formats/blocks/index.js';
import { writeModelGguf } from '../../../src/model/formats/convert.js';
import { openGguf } from '../../../src/model/formats/gguf-source.js';
import type { WeightSource } from '../../../src/model/weights.js';
import { llamaMissing, loadLlama } from '../../oracle/libllama.js';
import { storedWeights } from '../../support/blocks.js';
import { denoisePass, randomRows } from '../../support/passes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { tinyConfig } from '../../support/tiny-model.js';

const directory = temporaryDirectory();

const LLADA = tinyConfig({
  hidden: 256,
  heads: 4,
  kvHeads: 4,
  headDim: 64,
  ffn: 256,
  vocab: 96,
  tiedHead: true,
});
const LLAMA = tinyConfig({
  arch: 'llama',
  attention: 'causal',
  hidden: 256,
  heads: 4,
  kvHeads: 2,
  headDim: 64,
  ffn: 512,
  vocab: 96,
  tiedHead: false,
});
const ROUTED = tinyConfig({
  arch: 'llada-moe',
  layers: 1,
  hidden: 256,
  heads: 4,
  kvHeads: 4,
  headDim: 64,
  qkNorm: true,
  tiedHead: false,
  moe: { experts: 4, expertsPerToken: 2, expertFfn: 256, renormalise: false },
});

const ROWS = 9;

async function logitsOf(
  create: typeof createGgmlEngine | typeof createTfjsEngine,
  config: ModelConfig,
  weights: WeightSource,
): Promise<Float32Array> {
  const engine = await create(config, weights, { threads: 1 });
  const visibility = config.attention === 'causal' ? 'causal' : 'all';
  const { logits } = await engine.run(denoisePass(0, randomRows(config, ROWS, 3), { visibility }));
  engine.dispose();
  return logits;
}

/** Root mean square of a difference, in that of the logits. */
function distance(a: Float32Array, b: Float32Array): number {
  expect(a).toHaveLength(b.length);
  let [difference, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return Math.sqrt(difference / size);
}

const none = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);

async function written(config: ModelConfig, stored: WeightSource, name: string): Promise<string> {
  const path = join(directory, `${name}.gguf`);
  await writeModelGguf(config, stored, path, null, none);
  return path;
}

/**
 * How far logits may be from those of the decoded weights in f32: ggml rounds what it multiplies packed weights by to 8
 * bits, f16 and bf16 weights by to their own format. Twice what was measured (9 rows, two layers of 256).
 */
const BOUND: Readonly<Record<WeightDType, number>> = {
  f32: 5e-6,
  f16: 2e-3,
  bf16: 0.01,
  q8_0: 0.04,
  q4_0: 0.04,
  q4_1: 0.002,
  q5_0: 0.04,
  q5_1: 0.002,
  q2_k: 0.002,
  q3_k: 0.06,
  q4_k: 0.015,
  q5_k: 0.03,
  q6_k: 0.05,
  iq4_nl: 0.04,
  iq4_xs: 0.06,
  mxfp4: 0.035,
};

describe.skipIf(!hasGgml())('every format runs as it is stored', () => {
  it.each(WEIGHT_DTYPES)('%s, from memory and from a file, head tied to the embedding', async (dtype) => {
    const { stored, decoded } = storedWeights(LLADA, () => dtype);
    const expected = await logitsOf(createTfjsEngine, LLADA, decoded);
    const found = await logitsOf(createGgmlEngine, LLADA, stored);
    expect(distance(found, expected)).toBeLessThan(BOUND[dtype]);
    const { weights, config } = await openGguf(await written(LLADA, stored, dtype));
    expect(await logitsOf(createGgmlEngine, config, weights)).toEqual(found);
    await weights.close();
  });

  it.each(['q4_0', 'q4_k', 'iq4_xs', 'q8_0'] as const)('%s in routed experts', async (dtype) => {
    const { stored, decoded } = storedWeights(ROUTED, () => dtype);
    const expected = await logitsOf(createTfjsEngine, ROUTED, decoded);
    expect(distance(await logitsOf(createGgmlEngine, ROUTED, stored), expected)).toBeLessThan(BOUND[dtype]);
  });

  it.skipIf(llamaMissing !== null)(
    'all of them in one file, as hubs have them, with the logits of llama.cpp',
    async () => {
      let next = 0;
      const formats = new Map<string, WeightDType>();
      const { stored } = storedWeights(LLAMA, (id) => {
        const known = formats.get(id) ?? WEIGHT_DTYPES[next++ % WEIGHT_DTYPES.length];
        formats.set(id, known);
        return known;
      });
      const path = await written(LLAMA, stored, 'mixed');
      const oracle = (await loadLlama()).open(path);
      const expected = oracle.logits(randomRows(LLAMA, ROWS, 3).map(({ feed }) => feed));
      oracle.close();
      const { weights, config } = await openGguf(path);
      expect(distance(await logitsOf(createGgmlEngine, config, weights), expected)).toBeLessThan(1e-3);
      await weights.close();
    },
  );

  it('says where a value is that is not finite', async () => {
    const { stored } = storedWeights(LLADA, () => 'q4_0');
    const path = await written(LLADA, stored, 'damaged');
    const { weights: whole } = await openGguf(path);
    const place = whole.place?.('blk.0.ffn_up.weight');
    await whole.close();
    if (place === undefined) throw new Error('a matrix lies in the file as it is');
    const bytes = readFileSync(path);
    // The scale of the third block: infinity.
    bytes.writeUInt16LE(0x7c00, place.offset + 2 * 18);
    writeFileSync(path, bytes);
    const { weights, config } = await openGguf(path);
    await expect(createGgmlEngine(config, weights, { threads: 1 })).rejects.toThrow(
      /damaged\.gguf: blk\.0\.ffn_up\.weight: non-finite q4_0 value or scale at element 64/,
    );
    await weights.close();
  });
});
