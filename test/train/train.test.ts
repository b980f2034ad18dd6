import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { Random } from '../../src/score/random.js';
import { orthogonalise } from '../../src/train/optimizer.js';
import { learningRate, trainModel } from '../../src/train/train.js';

const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

describe('trainModel', () => {
  beforeAll(() => useBackend('wasm'));

  it('lowers the loss in thirty steps, the same way every time', async () => {
    const options = { layers: 1, hidden: 32, heads: 2, ffn: 64, batch: 4, steps: 30, warmup: 5, seed: 3 };
    const before = tf.memory().numTensors;
    const seen: number[] = [];
    const first = await trainModel(options, ({ loss }) => seen.push(loss));
    expect(seen).toEqual(first.losses);
    expect(mean(first.losses.slice(-5))).toBeLessThan(0.85 * mean(first.losses.slice(0, 3)));
    const again = await trainModel({ ...options, steps: 3 });
    expect(again.losses[0]).toBe(first.losses[0]);
    expect(tf.memory().numTensors).toBe(before);
    const table = await first.weights.read('token_embd.weight');
    expect(table.every(Number.isFinite)).toBe(true);
    expect(table.length).toBe(first.config.vocab * first.config.hidden);
  });

  it('stops when asked', async () => {
    const stop = new AbortController();
    const options = { layers: 1, hidden: 16, heads: 1, ffn: 16, batch: 2, steps: 50, signal: stop.signal };
    const { losses } = await trainModel(options, ({ step }) => step === 2 && stop.abort());
    expect(losses).toHaveLength(2);
  });
});

describe('learningRate', () => {
  it('warms up, holds, and falls to nearly zero', () => {
    const schedule = { steps: 100, warmup: 10, decay: 0.4 };
    expect(learningRate(0, schedule)).toBeCloseTo(0.1);
    expect(learningRate(30, schedule)).toBe(1);
    expect(learningRate(80, schedule)).toBeCloseTo(0.5);
    expect(learningRate(99, schedule)).toBeCloseTo(0.025);
  });
});

describe('orthogonalise', () => {
  it('brings all singular values near 1', async () => {
    await useBackend('wasm');
    const random = new Random(5);
    for (const [rows, columns] of [
      [8, 8],
      [8, 20],
      [20, 8],
    ] as const) {
      const matrix = tf.tensor2d(
        Float32Array.from({ length: rows * columns }, () => random.next() - 0.5),
        [rows, columns],
      );
      const x = orthogonalise(matrix);
      const small = Math.min(rows, columns);
      const gram = (
        rows < columns ? tf.matMul(x, tf.transpose(x)) : tf.matMul(tf.transpose(x), x)
      ) as tf.Tensor2D;
      // Newton-Schulz with these coefficients leaves singular values between about 0.7 and 1.2.
      const trace = tf.sum(tf.mul(gram, tf.eye(small))).dataSync()[0] ?? 0;
      expect(trace / small).toBeGreaterThan(0.5);
      expect(trace / small).toBeLessThan(1.4);
    }
  });
});
