import type { OpGraph } from '../../src/model/graph.js';
import type { KvFormat } from '../choices.js';
import type { ElementType } from '../ort/protocol.js';

/** A tensor that crosses the boundary of a device graph. */
export interface BoundaryTensor {
  /** Id in the operator graph. */
  readonly id: string;
  /** Name in the device graph: another one where the boundary has another type than the arithmetic. */
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
}

export interface StepIoOptions {
  /** Without it the graph ends at the normed rows that the head would read. */
  readonly head: boolean;
  /** Type of K and V on their way in and out; halves are what a device keeps. Default f32. */
  readonly kv?: KvFormat;
}

export interface StepIo {
  readonly inputs: readonly BoundaryTensor[];
  readonly outputs: readonly BoundaryTensor[];
  /** Id of the tensor that has the answer: logits, or the normed rows. */
  readonly result: string;
}

/**
 * Inputs and outputs of a step graph: ids, positions, rows that get logits, visibility, K and V of the context; the
 * answer, and the rows' fresh K and V.
 */
export function stepIo(graph: OpGraph, { head, kv = 'f32' }: StepIoOptions): StepIo {
  const tensor = (id: string, type: ElementType): BoundaryTensor => {
    const shape = graph.tensors.get(id)?.shape;
    if (shape === undefined) throw new Error(`graph of ${graph.model} has no tensor ${id}`);
    return { id, name: type === 'f16' ? `${id}.f16` : id, type, dims: shape };
  };
  const result = head ? 'logits' : 'output_norm';
  const read = [...graph.tensors.values()].filter(({ role }) => role === 'input' || role === 'kv');
  return {
    inputs: read.map(({ id, role, dtype }) =>
      tensor(id, role === 'kv' ? kv : dtype === 'i32' ? 'i32' : 'f32'),
    ),
    outputs: [tensor(result, 'f32'), ...graph.freshKv.flatMap(({ k, v }) => [tensor(k, kv), tensor(v, kv)])],
    result,
  };
}
