import * as tf from '@tensorflow/tfjs-core';

/**
 * Gradients of the kernels that a training graph runs. tfjs ships them only in files (`dist/gradients/*`) whose
 * imports plain Node cannot resolve, so the few that are needed are registered here. A kernel without one throws
 * while training, and the loss is checked against finite differences, so none can be missing or wrong unseen.
 */

type Gradient = Omit<tf.GradConfig, 'kernelName'>;

/** Adds up what broadcasting spread: the gradient takes the shape of the operand. */
function unbroadcast(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return tf.reshape(axes.length === 0 ? gradient : tf.sum(gradient, axes), shape);
}

/** Gradient of an elementwise kernel with one operand `x`, from `x` or from the result `y`. */
function elementwise(saved: 'x' | 'y', slope: (value: tf.Tensor) => tf.Tensor): Gradient {
  return {
    ...(saved === 'x' ? { inputsToSave: ['x'] } : { outputsToSave: [true] }),
    gradFunc: (dy, [value]) => ({ x: () => tf.mul(dy as tf.Tensor, slope(value as tf.Tensor)) }),
  };
}

/** Axis attributes come as a number or a list, and may count from the end. */
function axesOf(attribute: unknown, rank: number): number[] {
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const list = attribute === undefined || attribute === null ? all : [attribute as number | number[]].flat();
  return list.map((axis) => (axis < 0 ? axis + rank : axis));
}

/** Repeats the gradient of a reduction along the axes it reduced. */
function spread(dy: tf.Tensor, shape: number[], axis: unknown): tf.Tensor {
  const reduced = axesOf(axis, shape.length);
  const kept = shape.map((extent, index) => (reduced.includes(index) ? 1 : extent));
  return tf.mul(tf.reshape(dy, kept), tf.ones(shape));
}

const GRADIENTS: Readonly<Record<string, Gradient>> = {
  Add: {
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => ({
      a: () => unbroadcast(dy as tf.Tensor, (a as tf.Tensor).shape),
      b: () => unbroadcast(dy as tf.Tensor, (b as tf.Tensor).shape),
    }),
  },
  Multiply: {
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [a, b] = saved as [tf.Tensor, tf.Tensor];
      return {
        a: () => unbroadcast(tf.mul(dy as tf.Tensor, b), a.shape),
        b: () => unbroadcast(tf.mul(dy as tf.Tensor, a), b.shape),
      };
    },
  },
  Neg: { gradFunc: (dy) => ({ x: () => tf.neg(dy as tf.Tensor) }) },
  Identity: { gradFunc: (dy) => ({ x: () => tf.clone(dy as tf.Tensor) }) },
  Cast: { gradFunc: (dy) => ({ x: () => tf.clone(dy as tf.Tensor) }) },
  Square: elementwise('x', (x) => tf.mul(x, 2)),
  Rsqrt: elementwise('x', (x) => tf.mul(tf.pow(x, -1.5), -0.5)),
  Sigmoid: elementwise('y', (y) => tf.mul(y, tf.sub(1, y))),
  Reshape: {
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({ x: () => tf.reshape(dy as tf.Tensor, (x as tf.Tensor).shape) }),
  },
  Transpose: {
    gradFunc: (dy, _, attributes) => {
      const perm = attributes.perm as number[];
      const inverse = perm.map((_axis, index) => perm.indexOf(index));
      return { x: () => tf.transpose(dy as tf.Tensor, inverse) };
    },
  },
  Slice: {
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => {
      const { shape } = x as tf.Tensor;
      const begin = attributes.begin as number[];
      const taken = (dy as tf.Tensor).shape;
      const paddings = shape.map((extent, axis): [number, number] => {
        const first = begin[axis] ?? 0;
        return [first, extent - first - (taken[axis] ?? 1)];
      });
      return { x: () => tf.pad(dy as tf.Tensor, paddings) };
    },
  },
  Concat: {
    saveAllInputs: true,
    gradFunc: (dy, saved, attributes) => {
      const inputs = saved as tf.Tensor[];
      const [axis = 0] = axesOf(attributes.axis, (dy as tf.Tensor).rank);
      const sizes = inputs.map((input) => input.shape[axis] ?? 0);
      const parts = tf.split(dy as tf.Tensor, sizes, axis);
      return Object.fromEntries(parts.map((part, index) => [String(index), () => part]));
    },
  },
  Sum: {
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({
      x: () => spread(dy as tf.Tensor, (x as tf.Tensor).shape, attributes.axis),
    }),
  },
  Mean: {
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => {
      const { shape } = x as tf.Tensor;
      const count = axesOf(attributes.axis, shape.length).reduce(
        (product, axis) => product * (shape[axis] ?? 1),
        1,
      );
      return { x: () => tf.div(spread(dy as tf.Tensor, shape, attributes.axis), count) };
    },
  },
  Softmax: {
    outputsToSave: [true],
    gradFunc: (dy, [y], attributes) => {
      const weighted = tf.mul(dy as tf.Tensor, y as tf.Tensor);
      const total = tf.sum(weighted, attributes.dim as number, true);
      return { logits: () => tf.sub(weighted, tf.mul(total, y as tf.Tensor)) };
    },
  },
};

for (const [kernelName, gradient] of Object.entries(GRADIENTS)) {
  if (tf.getGradient(kernelName) === undefined) tf.registerGradient({ kernelName, ...gradient });
}
