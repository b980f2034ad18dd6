import * as tf from '@tensorflow/tfjs-core';
import type { OpGraph } from '../../model/graph.js';
import { rotationKey } from '../../model/rope.js';
import { visibilityBias } from './attention.js';
import type { Bindings, ExecuteOptions, GraphResult } from './bindings.js';
import { type KernelContext, runKernel } from './kernels.js';
import { RopeTables } from './rope.js';

export type { Bindings, ExecuteOptions, GraphResult, MatMul, WeightTensors } from './bindings.js';

/**
 * Executes an operator graph op by op on the active tfjs backend. Uses differentiable tfjs operations only and
 * reads nothing back, so it serves inference and, inside `tf.variableGrads`, training (with
 * `embedding: 'one-hot'`, and the gradients of `src/train/register-gradients.ts` registered).
 *
 * The caller owns the returned tensors; intermediates are freed, unless gradients still need them.
 * @throws Error when an input or weight the graph names is not bound
 */
export function executeGraph(graph: OpGraph, bindings: Bindings, options: ExecuteOptions = {}): GraphResult {
  checkBindings(graph, bindings);
  let result: GraphResult | undefined;
  tf.tidy(() => {
    result = run(graph, bindings, options);
    return resultTensors(result);
  });
  if (result === undefined) throw new Error(`graph of ${graph.model} did not run`);
  return result;
}

/** Every tensor of a result, for keeping or disposing of them. */
export function resultTensors(result: GraphResult): tf.Tensor[] {
  const tensors: tf.Tensor[] = result.freshKv.flatMap(({ k, v }) => [k, v]);
  if (result.logits !== null) tensors.push(result.logits);
  return tensors;
}

function run(graph: OpGraph, bindings: Bindings, options: ExecuteOptions): GraphResult {
  const values = new Map<string, tf.Tensor2D>();
  const value = (id: string): tf.Tensor2D => {
    const tensor = values.get(id);
    if (tensor === undefined) throw new Error(`graph reads ${id} before it is written`);
    return tensor;
  };
  const tables = new Map<string, RopeTables>();
  let bias: tf.Tensor2D | undefined;
  const context: KernelContext = {
    bindings,
    batch: bindings.batch ?? 1,
    embedding: options.embedding ?? 'gather',
    matMul: options.matMul ?? ((a, b) => tf.matMul(a, b)),
    value,
    rope: (headDim, shape) => {
      const key = rotationKey(headDim, shape);
      const known = tables.get(key) ?? new RopeTables(bindings.positions, headDim, shape);
      tables.set(key, known);
      return known;
    },
    visibility: (keys) => {
      if (bindings.visibility === undefined)
        throw new Error(`graph of ${graph.model} needs a visibility matrix`);
      bias ??= visibilityBias(bindings.visibility, graph.shape.rows, keys);
      return bias;
    },
  };
  for (const op of graph.ops) {
    // Shared by all layers: made outside the scope of the operator that first asks for them.
    if (op.kind === 'rope') context.rope(op.headDim, op).forHeads(op.heads);
    if (op.kind === 'attention' && op.masked) context.visibility(op.keys);
    const output = tf.tidy(() => runKernel(op, context));
    const id = op.outputs[0];
    if (id === undefined) throw new Error(`${op.id} writes nothing`);
    values.set(id, output);
    if (op.kind === 'matmul' && options.onLinear !== undefined) {
      for (const tensor of [op.inputs[0], id]) options.onLinear(tensor, value(tensor));
    }
    if (options.release === true) releaseRead(graph, op, values);
  }
  return {
    logits: graph.logits === null ? null : value(graph.logits),
    freshKv: graph.freshKv.map(({ k, v }) => ({ k: value(k), v: value(v) })),
  };
}

/** Frees the activations whose last reader was `op`. */
function releaseRead(graph: OpGraph, op: OpGraph['ops'][number], values: Map<string, tf.Tensor2D>): void {
  for (const id of op.inputs) {
    const info = graph.tensors.get(id);
    if (info?.role !== 'activation' || info.consumers.at(-1) !== op.id) continue;
    values.get(id)?.dispose();
    values.delete(id);
  }
}

function checkBindings(graph: OpGraph, bindings: Bindings): void {
  const batch = bindings.batch ?? 1;
  const { rows, logitsRows } = graph.shape;
  const expect = (what: string, actual: number, wanted: number) => {
    if (actual !== wanted) throw new Error(`graph of ${graph.model} needs ${wanted} ${what}, got ${actual}`);
  };
  expect('token ids', bindings.ids.length, batch * rows);
  expect('positions', bindings.positions.length, batch * rows);
  expect('logits rows', bindings.logitsRows.length, batch * logitsRows);
}
