import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import type { ModelConfig } from '../../src/model/config.js';
import { Random } from '../../src/score/random.js';
import { batchLoss, lossAndGradients } from '../../src/train/loss.js';
import type { Batch } from '../../src/train/objective.js';
import { trainingConfig } from '../../src/train/train.js';
import { initialWeights, type PlainWeight, TrainableWeights } from '../../src/train/trainable-weights.js';

interface Golden {
  config: { vocab_size: number; d_model: number; n_layers: number; n_heads: number; mlp_hidden_size: number };
  batch: Record<'ids' | 'positions' | 'visibility' | 'targets' | 'weights', number[]> &
    Record<'sequences' | 'rows' | 'first', number>;
  loss: number;
  weights: Record<string, number[]>;
  gradients: Record<string, number[]>;
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/tiny-llada-gradients.json', import.meta.url), 'utf8'),
) as Golden;

const batch: Batch = {
  layout: 'blocks',
  sequences: golden.batch.sequences,
  rows: golden.batch.rows,
  first: golden.batch.first,
  ids: Int32Array.from(golden.batch.ids),
  positions: Int32Array.from(golden.batch.positions),
  visibility: Float32Array.from(golden.batch.visibility),
  targets: Int32Array.from(golden.batch.targets),
  weights: Float32Array.from(golden.batch.weights),
};

const { d_model, n_layers, n_heads, mlp_hidden_size, vocab_size } = golden.config;
const config: ModelConfig = {
  ...trainingConfig({ layers: n_layers, hidden: d_model, heads: n_heads, ffn: mlp_hidden_size }),
  vocab: vocab_size,
};

/** The PyTorch name of a canonical weight id. */
function torchName(id: string): string {
  const names: Record<string, string> = {
    'token_embd.weight': 'wte.weight',
    'output_norm.weight': 'ln_f.weight',
    attn_norm: 'attn_norm',
    attn_q: 'q_proj',
    attn_k: 'k_proj',
    attn_v: 'v_proj',
    attn_output: 'attn_out',
    ffn_norm: 'ff_norm',
    ffn_gate: 'ff_proj',
    ffn_up: 'up_proj',
    ffn_down: 'ff_out',
  };
  const [, layer, weight] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(id) ?? [];
  const tail = weight === undefined ? names[id] : `blocks.${layer}.${names[weight]}.weight`;
  return `model.transformer.${tail}`;
}

function goldenWeights(): Map<string, PlainWeight> {
  const shapes = initialWeights(config, new Random(0));
  return new Map(
    [...shapes].map(([id, { shape }]) => [
      id,
      { shape, values: Float32Array.from(golden.weights[torchName(id)] ?? []) },
    ]),
  );
}

describe('lossAndGradients', () => {
  let weights: TrainableWeights;
  let result: ReturnType<typeof lossAndGradients>;

  beforeAll(async () => {
    await useBackend('wasm');
    weights = new TrainableWeights(config, goldenWeights());
    result = lossAndGradients(config, weights, batch);
  });
  afterAll(() => weights.dispose());

  it('agrees with PyTorch on the loss', () => {
    expect(result.loss).toBeCloseTo(golden.loss, 5);
  });

  it('agrees with PyTorch on every gradient', () => {
    for (const [id, gradient] of result.gradients) {
      const expected = golden.gradients[torchName(id)] ?? [];
      const { values } = weights.toPlain(id, gradient);
      expect(values.length, id).toBe(expected.length);
      const worst = Math.max(...expected.map((g, i) => Math.abs(g - (values[i] ?? Number.NaN))));
      expect(worst, id).toBeLessThan(1e-5);
    }
  });

  it('agrees with finite differences along random directions', () => {
    const random = new Random(1);
    const loss = (): number => tf.tidy(() => batchLoss(config, weights, batch).dataSync()[0] ?? Number.NaN);
    for (const [id, gradient] of result.gradients) {
      const variable = weights.variable(id);
      const kept = variable.clone();
      const direction = tf.tensor(
        Float32Array.from({ length: variable.size }, () => (random.next() < 0.5 ? -1 : 1)),
        variable.shape,
      );
      // A step large enough for f32, small enough for the curvature.
      const step = 0.02 / Math.sqrt(variable.size);
      const at = (sign: number): number => {
        tf.tidy(() => variable.assign(tf.add(kept, tf.mul(direction, sign * step))));
        return loss();
      };
      const measured = (at(1) - at(-1)) / (2 * step);
      variable.assign(kept);
      const predicted = tf.tidy(() => tf.sum(tf.mul(gradient, direction)).dataSync()[0] ?? Number.NaN);
      const tolerance = 2e-3 * Math.sqrt(variable.size) * 0.1 + 0.03 * Math.abs(predicted);
      expect(Math.abs(measured - predicted), `${id}: ${measured} against ${predicted}`).toBeLessThan(
        tolerance,
      );
      tf.dispose([kept, direction]);
    }
  });
});
