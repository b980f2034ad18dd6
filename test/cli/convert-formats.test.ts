import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CODECS, WEIGHT_DTYPES, WRITTEN_DTYPES } from '../../src/model/formats/blocks/index.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const directory = temporaryDirectory();
const none = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
const config = tinyConfig({ layers: 1, hidden: 256, heads: 4, kvHeads: 4, headDim: 64, ffn: 256 });
const plain = join(directory, 'plain.gguf');

describe('convert --quant', () => {
  it.each(WRITTEN_DTYPES)('writes %s: matrices in it, gains in f32', async (quant) => {
    await writeModelGguf(config, randomWeights(config), plain, null, none);
    const out = join(directory, `${quant}.gguf`);
    expect((await cli(['convert', plain, out, '--quant', quant])).code).toBe(0);
    const [before, after] = [await openGguf(plain), await openGguf(out)];
    for (const [id, shape] of weightShapes(config)) {
      expect(after.weights.info(id)?.dtype).toBe(shape.length === 1 ? 'f32' : quant);
      const [x, y] = [await before.weights.read(id), await after.weights.read(id)];
      const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
      const error = squares(x.map((value, i) => value - y[i])) / squares(x);
      // A step of 4 bits is a fifteenth of the range of a block.
      expect(error).toBeLessThan(0.01);
    }
    await Promise.all([before.weights.close(), after.weights.close()]);
  });

  it.each(WEIGHT_DTYPES.filter((dtype) => CODECS[dtype].encode === null))(
    'names %s in a refusal',
    async (quant) => {
      const { code, stderr } = await cli(['convert', plain, join(directory, 'x.gguf'), '--quant', quant]);
      expect(code).toBe(2);
      expect(stderr).toMatch(`--quant ${quant}: such weights are read and run, not written; written are f32`);
    },
  );

  it('says which rows are no whole blocks', async () => {
    const out = join(directory, 'narrow.gguf');
    const { code, stderr } = await cli(['convert', 'tiny-llada', out, '--quant', 'q4_k']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/q4_k needs rows of a multiple of 256 elements/);
  });
});
