import * as tf from '@tensorflow/tfjs-core';
import { embeddingId } from '../model/weight-ids.js';

export interface OptimizerOptions {
  /** Muon, for hidden matrices. */
  muonRate: number;
  muonMomentum: number;
  muonDecay: number;
  /** Adam, for the embedding and the gains. */
  adamRate: number;
  adamBetas: readonly [number, number];
  clipNorm: number;
}

export const DEFAULT_OPTIMIZER: OptimizerOptions = {
  muonRate: 0.02,
  muonMomentum: 0.95,
  muonDecay: 0.01,
  adamRate: 3e-3,
  adamBetas: [0.9, 0.98],
  clipNorm: 1,
};

/**
 * Drives the singular values of a matrix towards 1 (Newton-Schulz, the coefficients of Muon): a step then moves
 * all directions of the weight equally far.
 */
export function orthogonalise(gradient: tf.Tensor2D, steps = 5): tf.Tensor2D {
  return tf.tidy(() => {
    const tall = gradient.shape[0] > gradient.shape[1];
    const start: tf.Tensor2D = tall ? tf.transpose(gradient) : gradient;
    let x: tf.Tensor2D = tf.div(start, tf.add(tf.norm(start), 1e-7));
    for (let i = 0; i < steps; i++) {
      const a: tf.Tensor2D = tf.matMul(x, tf.transpose(x));
      const b: tf.Tensor2D = tf.add(tf.mul(a, -4.775), tf.mul(tf.matMul(a, a), 2.0315));
      x = tf.add(tf.mul(x, 3.4445), tf.matMul(b, x));
    }
    return tall ? tf.transpose(x) : x;
  });
}

/** Muon for hidden matrices, Adam for the rest, after clipping the global norm: as in `tools/train/train.py`. */
export class Optimizer {
  private readonly state = new Map<string, tf.Variable[]>();
  private step = 0;

  constructor(private readonly options: OptimizerOptions = DEFAULT_OPTIMIZER) {}

  /** Updates the weights; `rate` scales both learning rates (the schedule). */
  apply(
    weights: Iterable<[string, tf.Variable]>,
    gradients: ReadonlyMap<string, tf.Tensor>,
    rate: number,
  ): void {
    this.step++;
    tf.tidy(() => {
      const squares = [...gradients.values()].map((gradient) => tf.sum(tf.square(gradient)));
      const norm = Math.sqrt(tf.addN(squares).dataSync()[0]);
      const clip = Math.min(1, this.options.clipNorm / (norm + 1e-6));
      for (const [id, variable] of weights) {
        const gradient = gradients.get(id);
        if (gradient === undefined) throw new Error(`no gradient for ${id}`);
        const clipped = tf.mul(gradient, clip);
        const isHidden = variable.rank === 2 && id !== embeddingId();
        if (isHidden) this.muon(id, variable, clipped as tf.Tensor2D, rate);
        else this.adam(id, variable, clipped, rate);
      }
    });
  }

  dispose(): void {
    for (const slots of this.state.values()) tf.dispose(slots);
  }

  private muon(id: string, variable: tf.Variable, gradient: tf.Tensor2D, rate: number): void {
    const { muonRate, muonMomentum, muonDecay } = this.options;
    const [momentum] = this.slots(id, variable, 1) as [tf.Variable];
    momentum.assign(lerp(momentum, gradient, 1 - muonMomentum));
    const direction = orthogonalise(lerp(gradient, momentum, muonMomentum) as tf.Tensor2D);
    // Variables are [in, out]: a matrix that widens its input moves further.
    const [inputs, outputs] = gradient.shape;
    const scale = Math.sqrt(Math.max(1, outputs / inputs));
    const decayed = tf.mul(variable, 1 - muonRate * rate * muonDecay);
    variable.assign(tf.sub(decayed, tf.mul(direction, muonRate * rate * scale)));
  }

  private adam(id: string, variable: tf.Variable, gradient: tf.Tensor, rate: number): void {
    const [beta1, beta2] = this.options.adamBetas;
    const [mean, square] = this.slots(id, variable, 2) as [tf.Variable, tf.Variable];
    mean.assign(lerp(mean, gradient, 1 - beta1));
    square.assign(lerp(square, tf.square(gradient), 1 - beta2));
    const meanHat = tf.div(mean, 1 - beta1 ** this.step);
    const squareHat = tf.div(square, 1 - beta2 ** this.step);
    const update = tf.div(meanHat, tf.add(tf.sqrt(squareHat), 1e-8));
    variable.assign(tf.sub(variable, tf.mul(update, this.options.adamRate * rate)));
  }

  private slots(id: string, variable: tf.Variable, count: number): tf.Variable[] {
    let slots = this.state.get(id);
    if (slots === undefined) {
      slots = Array.from({ length: count }, () => tf.variable(tf.zerosLike(variable), false));
      this.state.set(id, slots);
    }
    return slots;
  }
}

function lerp(from: tf.Tensor, to: tf.Tensor, share: number): tf.Tensor {
  return tf.add(tf.mul(from, 1 - share), tf.mul(to, share));
}
