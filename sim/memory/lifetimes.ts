import type { Op, OpGraph, TensorInfo } from '../../src/model/graph.js';

/** When a tensor must be reachable, as positions in the NPU's operator sequence, both ends included. */
export interface LiveRange {
  readonly tensor: string;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Lifetimes of the tensors NPU operators touch (arXiv:2606.13740 section 3.4). Long-lived tensors must stay
 * visible across steps: weights and KV. Everything else lives inside the pass.
 */
export interface Lifetimes {
  /** Weights in order of first use, each with the operators that read it. */
  readonly weights: readonly LiveRange[];
  /** Cached and fresh K and V. */
  readonly kvBytes: number;
  readonly activations: readonly LiveRange[];
}

export function classify(graph: OpGraph, ops: readonly Op[]): Lifetimes {
  const ranges = new Map<string, { tensor: TensorInfo; first: number; last: number }>();
  const use = (op: Op, id: string, index: number): void => {
    const known = ranges.get(id);
    if (known !== undefined) {
      known.last = index;
      return;
    }
    const tensor = graph.tensors.get(id);
    if (tensor === undefined) throw new Error(`${op.id} names an unknown tensor ${id}`);
    ranges.set(id, { tensor, first: index, last: index });
  };
  ops.forEach((op, index) => {
    for (const id of op.weights) use(op, id, index);
    for (const id of op.inputs) use(op, id, index);
    for (const id of op.outputs) use(op, id, index);
  });
  const fresh = new Set(graph.freshKv.flatMap(({ k, v }) => [k, v]));
  const onNpu = new Set(ops.map((op) => op.id));
  const weights: LiveRange[] = [];
  const activations: LiveRange[] = [];
  let kvBytes = 0;
  for (const { tensor, first, last } of ranges.values()) {
    const range = { tensor: tensor.id, bytes: tensor.bytes, first, last };
    if (tensor.role === 'weight') weights.push(range);
    else if (tensor.role === 'kv' || fresh.has(tensor.id)) kvBytes += tensor.bytes;
    else activations.push(widened(range, tensor, onNpu, ops.length));
  }
  weights.sort((a, b) => a.first - b.first);
  return { weights, kvBytes, activations };
}

/** A tensor that comes from or goes to another device lives from the start or to the end of the pass. */
function widened(range: LiveRange, tensor: TensorInfo, onNpu: ReadonlySet<string>, count: number): LiveRange {
  const enters = tensor.producer === null || !onNpu.has(tensor.producer);
  const leaves = tensor.consumers.some((user) => !onNpu.has(user)) || tensor.consumers.length === 0;
  return { ...range, first: enters ? 0 : range.first, last: leaves ? count - 1 : range.last };
}
