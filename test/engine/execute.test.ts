import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { type Bindings, executeGraph, resultTensors } from '../../src/engine/tfjs/execute.js';
import { type LoadedWeights, loadWeightTensors } from '../../src/engine/tfjs/weight-tensors.js';
import { buildGraph } from '../../src/model/build-graph.js';
import type { Op, OpGraph } from '../../src/model/graph.js';
import { precisionFor } from '../../src/model/precision.js';
import type { PassShape } from '../../src/pass/shape.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const config = tinyConfig({ kvHeads: 2 });
const shape: PassShape = { rows: 5, kvSets: [], logitsRows: 5, masked: false };
const sequences = [
  [7, 3, 9, 30, 2],
  [1, 39, 5, 5, 8],
];

describe('executeGraph', () => {
  let weights: LoadedWeights;
  beforeAll(async () => {
    await useBackend('wasm');
    weights = await loadWeightTensors(config, randomWeights(config));
  });

  const graph = (change: Partial<PassShape> = {}) =>
    buildGraph(config, { ...shape, ...change }, precisionFor('f32'));
  const bind = (ids: number[], rest: Partial<Bindings> = {}): Bindings => ({
    weights,
    ids,
    positions: ids.map((_, i) => i % 5),
    logitsRows: ids.map((_, i) => i),
    ...rest,
  });
  const logitsOf = (on: OpGraph, bindings: Bindings, options = {}): number[] => {
    const result = executeGraph(on, bindings, options);
    const values = [...(result.logits?.dataSync() ?? [])];
    tf.dispose(resultTensors(result));
    return values;
  };
  const close = (a: number[], b: number[]) => {
    expect(a.length).toBe(b.length);
    expect(a.reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i]!)), 0)).toBeLessThan(1e-5);
  };
  let tensors = 0;
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('gives a batch of sequences what each gets alone', () => {
    tensors = tf.memory().numTensors;
    const alone = sequences.flatMap((ids) => logitsOf(graph(), bind(ids)));
    close(logitsOf(graph(), bind(sequences.flat(), { batch: 2 })), alone);
  });

  it('gives every sequence of a batch the same visibility', () => {
    tensors = tf.memory().numTensors;
    const visibility = Float32Array.from({ length: 25 }, (_, i) => (i % 5 <= Math.floor(i / 5) ? 1 : 0));
    const masked = graph({ masked: true });
    const alone = sequences.flatMap((ids) => logitsOf(masked, bind(ids, { visibility })));
    close(logitsOf(masked, bind(sequences.flat(), { batch: 2, visibility })), alone);
    expect(alone).not.toEqual(sequences.flatMap((ids) => logitsOf(graph(), bind(ids))));
  });

  it('embeds by one-hot product as by look-up, bit for bit', () => {
    tensors = tf.memory().numTensors;
    const ids = sequences[0]!;
    expect(logitsOf(graph(), bind(ids), { embedding: 'one-hot' })).toEqual(logitsOf(graph(), bind(ids)));
  });

  it('gives the same with and without freeing activations early', () => {
    tensors = tf.memory().numTensors;
    const ids = sequences[1]!;
    expect(logitsOf(graph(), bind(ids), { release: true })).toEqual(logitsOf(graph(), bind(ids)));
  });

  it('uses the product it is given for every matrix', () => {
    tensors = tf.memory().numTensors;
    let calls = 0;
    const matMul = (a: tf.Tensor2D, b: tf.Tensor2D) => {
      calls++;
      return tf.matMul(a, b);
    };
    logitsOf(graph(), bind(sequences[0]!), { matMul });
    // Per layer q, k, v, o, gate, up, down, two rotations and two products per head; then the head.
    expect(calls).toBe(config.layers * (9 + 2 * config.heads) + 1);
  });

  it('refuses an operator kind without a kernel and inputs of the wrong size', () => {
    tensors = tf.memory().numTensors;
    const good = graph();
    const strange = { ...good.ops[1]!, kind: 'convolution' } as unknown as Op;
    const broken: OpGraph = { ...good, ops: [good.ops[0]!, strange] };
    expect(() => executeGraph(broken, bind(sequences[0]!))).toThrow(
      /no tfjs kernel for operator kind "convolution"/,
    );
    expect(() => executeGraph(good, bind([1, 2, 3]))).toThrow(/needs 5 token ids, got 3/);
    expect(() => executeGraph(graph({ masked: true }), bind(sequences[0]!))).toThrow(
      /needs a visibility matrix/,
    );
    const cached = graph({ kvSets: [{ name: 'prefix', length: 2 }] });
    expect(() => executeGraph(cached, bind(sequences[0]!))).toThrow(/needs the cached values kv.prefix.0.k/);
    expect(() => executeGraph(cached, bind(sequences.flat(), { batch: 2 }))).toThrow(
      /a batch cannot read cached KV/,
    );
  });
});
