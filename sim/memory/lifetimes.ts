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

/** The weights of `classify` alone, for those who ask for nothing else. */
export function weightsOf(graph: OpGraph, ops: readonly Op[]): LiveRange[] {
  const ranges = new Map<string, { tensor: string; bytes: number; first: number; last: number }>();
  for (let index = 0; index < ops.length; index++) {
    const op = ops[index];
    for (const id of op.weights) {
      const known = ranges.get(id);
      if (known !== undefined) known.last = index;
      else ranges.set(id, { tensor: id, bytes: tensorOf(graph, op, id).bytes, first: index, last: index });
    }
  }
  return [...ranges.values()];
}

/** The activations of `classify` alone, for those who lay out nothing else. */
export function activationsOf(graph: OpGraph, ops: readonly Op[]): LiveRange[] {
  const ranges = new Map<string, { tensor: TensorInfo; first: number; last: number }>();
  const fresh = freshOf(graph);
  const use = (op: Op, id: string, index: number): void => {
    const known = ranges.get(id);
    if (known !== undefined) {
      known.last = index;
      return;
    }
    const tensor = tensorOf(graph, op, id);
    if (tensor.role !== 'kv' && !fresh.has(id)) ranges.set(id, { tensor, first: index, last: index });
  };
  for (let index = 0; index < ops.length; index++) {
    const op = ops[index];
    for (let at = 0; at < op.inputs.length; at++) use(op, op.inputs[at], index);
    for (let at = 0; at < op.outputs.length; at++) use(op, op.outputs[at], index);
  }
  const places = placesOf(graph, ops);
  const activations: LiveRange[] = [];
  // A map keeps the order in which tensors were first used.
  for (const { tensor, first, last } of ranges.values())
    activations.push(widened(tensor, first, last, places, ops.length));
  return activations;
}

/** @throws Error for an operator that names a tensor the graph has not */
export function classify(graph: OpGraph, ops: readonly Op[]): Lifetimes {
  const fresh = freshOf(graph);
  const cached = new Set<TensorInfo>();
  for (const op of ops) {
    for (const id of [...op.inputs, ...op.outputs]) {
      const tensor = tensorOf(graph, op, id);
      if (tensor.role === 'kv' || fresh.has(id)) cached.add(tensor);
    }
  }
  let kvBytes = 0;
  for (const { bytes } of cached) kvBytes += bytes;
  return { weights: weightsOf(graph, ops), kvBytes, activations: activationsOf(graph, ops) };
}

/** Keys and values that a pass adds. */
function freshOf({ freshKv }: OpGraph): ReadonlySet<string> {
  const fresh = new Set<string>();
  for (const { k, v } of freshKv) fresh.add(k).add(v);
  return fresh;
}

function tensorOf(graph: OpGraph, op: Op, id: string): TensorInfo {
  const tensor = graph.tensors.get(id);
  if (tensor === undefined) throw new Error(`${op.id} names an unknown tensor ${id}`);
  return tensor;
}

/** Operators on other devices, each with the number of NPU operators before it. */
function placesOf(graph: OpGraph, ops: readonly Op[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  let before = 0;
  for (const op of graph.ops) {
    // Both are in the order of the graph.
    if (op === ops[before]) before++;
    else places.set(op.id, before);
  }
  if (before < ops.length) throw new Error(`${ops[before].id} is not in the order of the graph`);
  return places;
}

/**
 * A tensor that another device writes or reads lives until then or from then on: beside the NPU operators before and
 * after, so that what this device reads and writes never share addresses. Inputs are there from the start, results stay
 * to the end.
 */
function widened(
  { id, bytes, producer, consumers }: TensorInfo,
  firstUse: number,
  lastUse: number,
  places: ReadonlyMap<string, number>,
  count: number,
): LiveRange {
  const written = producer === null ? 0 : places.get(producer);
  const first = written === undefined ? firstUse : Math.min(firstUse, Math.max(0, written - 1));
  let last = consumers.length === 0 ? count - 1 : lastUse;
  for (const user of consumers) last = Math.max(last, Math.min(count - 1, places.get(user) ?? 0));
  return { tensor: id, bytes, first, last };
}
