import type { Op, OpGraph, TensorInfo } from '../../src/model/graph.js';
import type { LowerContext } from './kernel.js';

/** Bytes of an FP16 element. */
export const F16_BYTES = 2;

/** The tensor of an operand; a missing one is a broken graph. */
export function tensorOf(graph: OpGraph, id: string | undefined): TensorInfo {
  const tensor = id === undefined ? undefined : graph.tensors.get(id);
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
  if (dtype === 'q4_0') return bytes * stack.numbers.q4Layout;
  return dtype === 'q8_0' ? bytes * stack.numbers.q8Layout : bytes;
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

/** Times and bytes of moving activations of a product into TCM and results out of it. */
export interface ActivationMoves {
  /** By DMA: before the conversion, and behind the last use of a result. */
  readonly loadMs: number;
  readonly storeMs: number;
  /** Vector threads, conversion included: they wait for the bytes they fetch or store themselves. */
  readonly convertMs: number;
  readonly finishMs: number;
  readonly dmaBytes: number;
  readonly l2Bytes: number;
}

/**
 * Moves of one pass or chunk. Threads that fetch and store themselves have many transfers in flight, so the conversion hides
 * behind the bytes or the bytes behind the conversion.
 * @param vectorMs arithmetic of the threads on the way in and on the way out
 */
export function activationMoves(
  bytes: { readonly in: number; readonly out: number },
  vectorMs: { readonly in: number; readonly out: number },
  context: LowerContext,
): ActivationMoves {
  const { stack, rates } = context;
  const mover = stack.productActivations ?? 'dma';
  if (mover === 'dma') {
    return {
      loadMs: dmaMs(bytes.in, 0, context),
      storeMs: dmaMs(bytes.out, 0, context),
      convertMs: vectorMs.in,
      finishMs: vectorMs.out,
      dmaBytes: bytes.in + bytes.out,
      l2Bytes: 0,
    };
  }
  const queues = mover === 'queues';
  const inPerMs = queues ? rates.queuesBytesPerMs : rates.directBytesPerMs;
  return {
    loadMs: 0,
    storeMs: 0,
    convertMs: Math.max(vectorMs.in, bytes.in / inPerMs),
    finishMs: Math.max(vectorMs.out, bytes.out / rates.directBytesPerMs),
    dmaBytes: queues ? bytes.in : 0,
    l2Bytes: queues ? bytes.out : bytes.in + bytes.out,
  };
}
