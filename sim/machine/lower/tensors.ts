import type { Op, OpGraph, TensorInfo } from '../../../src/model/graph.js';
import { layoutShare } from '../../stacks/layout.js';
import type { LowerContext } from '../kernel.js';

/** Bytes of an FP16 element. */
export const F16_BYTES = 2;

/** The tensor of an operand; a missing one is a broken graph. */
export function tensorOf(graph: OpGraph, id: string | undefined): TensorInfo {
  const tensor = graph.tensors.get(id ?? '');
  if (tensor === undefined) throw new Error(`graph of ${graph.model} has no tensor ${id}`);
  return tensor;
}

/** Bytes of one activation that an operator reads from DRAM; none where a graph keeps them in TCM. */
export function inputBytesEach(graph: OpGraph, { stack }: LowerContext): number {
  if (stack.activationsIn === 'tcm') return 0;
  return graph.precision.activations === 'f32' ? 2 * F16_BYTES : F16_BYTES;
}

/** Bytes of one element an operator writes to DRAM. Results of the whole pass are written in any case. */
export function outputBytesEach(op: Op, graph: OpGraph, context: LowerContext): number {
  const output = tensorOf(graph, op.outputs[0]);
  if (output.consumers.length > 0) return inputBytesEach(graph, context);
  return output.bytes / output.shape.reduce((product, size) => product * size, 1);
}

/** Bytes a weight tensor takes in the stack's layout. */
export function storedBytes({ dtype, bytes }: TensorInfo, { stack }: LowerContext): number {
  return bytes * layoutShare(dtype, stack.numbers);
}

/** Rows one step of the matrix unit takes. */
export function matrixRows({ profile, stack }: Pick<LowerContext, 'profile' | 'stack'>): number {
  return profile.npu.matrixTile * stack.numbers.rowTiles;
}

/** Total bytes of named tensors. */
export function bytesOf(graph: OpGraph, ids: readonly string[]): number {
  return ids.reduce((sum, id) => sum + tensorOf(graph, id).bytes, 0);
}

/** `value` rounded up to a multiple. */
export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
