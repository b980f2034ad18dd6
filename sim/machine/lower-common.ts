import type { OpGraph, TensorInfo } from '../../src/model/graph.js';
import type { LowerContext } from './kernel.js';

/** Bytes of an FP16 element. */
export const F16_BYTES = 2;

/** The tensor of an operand; a missing one is a broken graph. */
export function tensorOf(graph: OpGraph, id: string | undefined): TensorInfo {
  const tensor = id === undefined ? undefined : graph.tensors.get(id);
  if (tensor === undefined) throw new Error(`graph of ${graph.model} has no tensor ${id}`);
  return tensor;
}

/** Total bytes of named tensors. */
export function bytesOf(graph: OpGraph, ids: readonly string[]): number {
  return ids.reduce((sum, id) => sum + tensorOf(graph, id).bytes, 0);
}

/** `value` rounded up to a multiple. */
export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/**
 * Time of a DMA transfer in ms: fixed latency per descriptor, then bytes over rate. While the matrix unit works
 * on another chunk (`besideMatrixMs`) the transfer only gets the slower rate.
 */
export function dmaMs(bytes: number, besideMatrixMs: number, context: LowerContext): number {
  if (bytes === 0) return 0;
  const { rates, profile } = context;
  const transfers = Math.ceil(bytes / profile.npu.dmaMaxTransfer);
  const slowBytes = Math.min(bytes, besideMatrixMs * rates.dmaBesideMatrixBytesPerMs);
  const slowMs = slowBytes / rates.dmaBesideMatrixBytesPerMs;
  return transfers * profile.npu.dmaLatency + slowMs + (bytes - slowBytes) / rates.dmaBytesPerMs;
}
