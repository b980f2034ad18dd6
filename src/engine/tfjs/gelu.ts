import * as tf from '@tensorflow/tfjs-core';
import type { GeluForm } from '../../model/model-shape.js';
import { ERF } from '../../util/erf.js';

/** x * Phi(x); `gelu_new` approximates Phi by tanh (arXiv:1606.08415, section 2). */
export function activate(x: tf.Tensor2D, form: GeluForm): tf.Tensor2D {
  const inner = form === 'gelu_new' ? tanhPart(x) : erf(tf.mul(x, Math.SQRT1_2));
  return tf.mul(tf.mul(x, 0.5), tf.add(inner, 1));
}

function tanhPart(x: tf.Tensor2D): tf.Tensor2D {
  const cubed = tf.mul(tf.mul(tf.square(x), x), 0.044715);
  return tf.tanh(tf.mul(tf.add(x, cubed), Math.sqrt(2 / Math.PI)));
}

/** The wasm backend has no error function of its own. */
function erf(x: tf.Tensor2D): tf.Tensor2D {
  const size = tf.abs(x);
  const t = tf.reciprocal(tf.add(tf.mul(size, ERF.p), 1));
  const sum = ERF.a.reduceRight<tf.Tensor>((higher, a) => tf.mul(tf.add(higher, a), t), tf.zerosLike(t));
  return tf.mul(tf.sign(x), tf.sub(1, tf.mul(sum, tf.exp(tf.neg(tf.square(size))))));
}
