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
  ops.forEach((op, index) => {
    for (const id of op.weights) {
      const known = ranges.get(id);
      if (known !== undefined) known.last = index;
      else
        ranges.set(id, { tensor: id, bytes: graph.tensors.get(id)?.bytes ?? 0, first: index, last: index });
    }
  });
  return [...ranges.values()];
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
  const places = placesOf(graph, ops);
  // A map keeps the order in which tensors were first used.
  const weights: LiveRange[] = [];
  const activations: LiveRange[] = [];
  let kvBytes = 0;
  for (const { tensor, first, last } of ranges.values()) {
    const range = { tensor: tensor.id, bytes: tensor.bytes, first, last };
    if (tensor.role === 'weight') weights.push(range);
    else if (tensor.role === 'kv' || fresh.has(tensor.id)) kvBytes += tensor.bytes;
    else activations.push(widened(range, tensor, places, ops.length));
  }
  return { weights, kvBytes, activations };
}

/** Operators on other devices, each with the number of NPU operators before it. */
function placesOf(graph: OpGraph, ops: readonly Op[]): ReadonlyMap<string, number> {
  const onNpu = new Set(ops);
  const places = new Map<string, number>();
  let before = 0;
  for (const op of graph.ops) {
    if (onNpu.has(op)) before++;
    else places.set(op.id, before);
  }
  return places;
}

/**
 * A tensor that another device writes or reads lives until then or from then on: beside the NPU operators before and
 * after, so that what this device reads and writes never share addresses. Inputs are there from the start, results stay
 * to the end.
 */
function widened(
  range: LiveRange,
  { producer, consumers }: TensorInfo,
  places: ReadonlyMap<string, number>,
  count: number,
): LiveRange {
  const written = producer === null ? 0 : places.get(producer);
  const first = written === undefined ? range.first : Math.min(range.first, Math.max(0, written - 1));
  let last = consumers.length === 0 ? count - 1 : range.last;
  for (const user of consumers) last = Math.max(last, Math.min(count - 1, places.get(user) ?? 0));
  return { ...range, first, last };
}
