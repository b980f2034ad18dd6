import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { createNpuNumericsEngine } from '../../src/engine/npu-numerics/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { tfjsMemory } from '../../src/engine/tfjs/memory.js';
import { DataError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import type { WeightSource } from '../../src/model/weights.js';
import { storedWeights } from '../support/blocks.js';
import { denoisePass, randomRows } from '../support/passes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { tinyConfig } from '../support/tiny-model.js';

const directory = temporaryDirectory();
const NONE = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
const CONFIG = tinyConfig({ hidden: 256, heads: 4, kvHeads: 4, headDim: 64, ffn: 512, vocab: 4000 });

const ENGINES: readonly (readonly [
  string,
  (config: ModelConfig, weights: WeightSource) => Promise<Engine>,
])[] = [
  ['tfjs', createTfjsEngine],
  ['npu-numerics', createNpuNumericsEngine],
];

/** A file as llama-quantize leaves it: K-quants, and what has too few columns for them in Q8_0 or F16. */
async function mixedFile(name: string) {
  const { stored, decoded } = storedWeights(CONFIG, (id) =>
    id.includes('ffn_down')
      ? 'q8_0'
      : id.includes('attn_v')
        ? 'f16'
        : id.includes('ffn_up')
          ? 'q4_0'
          : 'q4_k',
  );
  const file = join(directory, `${name}.gguf`);
  await writeModelGguf(CONFIG, stored, file, null, NONE);
  return { file, decoded, ...(await openGguf(file)) };
}

const pass = denoisePass(0, randomRows(CONFIG, 5, 3));

describe('a file with K-quants', () => {
  it.each(ENGINES)('is read by %s when it is used, and held nowhere', async (name, open) => {
    const { file, config, weights, decoded } = await mixedFile(name);
    const plain = await open(CONFIG, decoded);
    const expected = (await plain.run(pass)).logits;
    plain.dispose();
    const before = process.memoryUsage().arrayBuffers;
    const engine = await open(config, weights);
    // Q and K, whose rows change places, are in memory.
    const held = process.memoryUsage().arrayBuffers - before;
    expect(held).toBeLessThan(0.4 * statSync(file).size);
    await weights.close();
    const { logits } = await engine.run(pass);
    expect(logits.every((x, i) => x === expected[i])).toBe(true);
    engine.dispose();
  });

  it.each(ENGINES)('that changes while %s reads it is refused', async (name, open) => {
    const { file, config, weights } = await mixedFile(`changed-${name}`);
    const engine = await open(config, weights);
    await engine.run(pass);
    appendFileSync(file, 'x');
    await expect(engine.run(pass)).rejects.toThrow(DataError);
    await expect(engine.run(pass)).rejects.toThrow(/was changed while its model was open/);
    engine.dispose();
    await weights.close();
  });

  it('takes of tfjs what Q, K and the vectors have', async () => {
    const { config, weights } = await mixedFile('memory');
    const bytes = ['blk.0.attn_q.weight', 'blk.0.attn_k.weight'].map((id) => weights.info(id)?.bytes ?? 0);
    const { widened, stored } = tfjsMemory(config, weights);
    expect(stored).toBe(CONFIG.layers * (bytes[0] + bytes[1]));
    expect(widened).toBe(4 * 256 * (2 * CONFIG.layers + 1));
    await weights.close();
  });
});
