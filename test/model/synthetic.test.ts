import { describe, expect, it } from 'vitest';
import { parameterCount } from '../../src/model/closed-forms.js';
import { bytesOf } from '../../src/model/dtype.js';
import { GGUF_ARCHITECTURES } from '../../src/model/families/index.js';
import { QUANTS } from '../../src/model/precision.js';
import { syntheticShapes } from '../../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../../src/model/synthetic/weights.js';
import { weightShapes } from '../../src/model/weight-ids.js';

const mean = (values: Float32Array) => values.reduce((sum, x) => sum + x, 0) / values.length;

describe('synthetic models', () => {
  it.each(QUANTS)('have %s weights of variance 1 / fan-in around 0, gains near 1', async (quant) => {
    const config = syntheticShapes('llada', 'tiny');
    const source = syntheticWeights(config, quant, 5);
    for (const [id, shape] of weightShapes(config)) {
      const values = await source.read(id);
      expect((await source.readRaw(id)).length).toBe(bytesOf(shape, source.info(id)!.dtype));
      if (shape.length === 1) {
        expect(mean(values)).toBeGreaterThan(0.9);
        expect(mean(values)).toBeLessThan(1.1);
        continue;
      }
      const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
      const expected = 1 / (shape.at(-1) ?? 1);
      expect(variance / expected).toBeGreaterThan(0.85);
      expect(variance / expected).toBeLessThan(1.15);
      expect(Math.abs(mean(values)) / Math.sqrt(expected)).toBeLessThan(0.1);
    }
  });

  it('are the same for the same seed, and others for another', async () => {
    const config = syntheticShapes('dream', 'tiny');
    const read = (seed: number) => syntheticWeights(config, 'q4_0', seed).readRaw('blk.1.ffn_up.weight');
    expect(await read(1)).toEqual(await read(1));
    expect(await read(1)).not.toEqual(await read(2));
    // The generator is part of the promise: measurements name a seed.
    expect([...(await read(1)).subarray(0, 4)]).toMatchInlineSnapshot(`
      [
        235,
        167,
        206,
        65,
      ]
    `);
  });

  it('of 1b have at least a billion parameters, of every family', () => {
    for (const arch of GGUF_ARCHITECTURES) {
      expect(parameterCount(syntheticShapes(arch, '1b')).total, arch).toBeGreaterThan(1e9);
      expect(syntheticShapes(arch, '1b').hidden % 32).toBe(0);
    }
  });

  it('are refused under a wrong name, with the nearest', () => {
    expect(() => syntheticShapes('lada', 'tiny')).toThrow(/unknown architecture "lada": did you mean llada/);
    expect(() => syntheticShapes('dream', '8b')).toThrow(/unknown preset of dream "8b": did you mean/);
  });
});
