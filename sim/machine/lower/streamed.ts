import type { Op, OpGraph } from '../../../src/model/graph.js';
import type { Kernel, LowerContext } from '../kernel.js';
import type { ChunkCost } from '../pipeline.js';
import { bytesOf } from './tensors.js';

/** What an element-wise operator asks for beyond its operands. */
export interface Streamed {
  /** Vector instructions per register of result. */
  readonly opsEach: number;
  /** Bytes it reads. @defaultValue those of its inputs and weights */
  readonly operands?: number;
  /** Bytes of results that are read and written once more. @defaultValue 0 */
  readonly again?: number;
  /** Bytes of state read and written once a pass, wherever activations live. @defaultValue 0 */
  readonly state?: number;
}

/** An operator without matrix work, whatever graph it belongs to. */
export interface StreamedWork {
  readonly opsEach: number;
  /** DRAM bytes in and out. */
  readonly read: number;
  readonly written: number;
  readonly elements: number;
  readonly macs: number;
}

/**
 * An operator without matrix work: vector threads prefetch operands through L2, or through a DMA queue each, compute,
 * and write back. Rows are not padded.
 */
export function streamed(op: Op, graph: OpGraph, context: LowerContext, asked: Streamed): Kernel {
  const { operands = bytesOf(graph, [...op.inputs, ...op.weights]), again = 0, state = 0 } = asked;
  const inTcm = context.stack.activationsIn === 'tcm';
  const read = (inTcm ? 0 : operands + again) + state;
  const written = (inTcm ? 0 : bytesOf(graph, op.outputs) + again) + state;
  const { macs, vectorElements: elements } = op;
  return streamedKernel({ opsEach: asked.opsEach, read, written, elements, macs }, context);
}

/** See `streamed`. */
export function streamedKernel(work: StreamedWork, { profile, stack, rates }: LowerContext): Kernel {
  const { opsEach, read, written, elements, macs } = work;
  // Recurrences and convolutions multiply on the vector threads.
  const macOps = macs / stack.numbers.vectorF16MacsPerCycle;
  const chunks = Math.max(1, Math.ceil((read + written) / stack.numbers.streamChunkBytes));
  const registers = elements / profile.npu.vectorLanes;
  const queues = stack.elementwise === 'queues';
  const bytesPerMs = queues ? rates.queuesBytesPerMs : rates.directBytesPerMs;
  const vectorOps = (registers * opsEach) / stack.numbers.vectorIpc + macOps;
  const chunk: ChunkCost = {
    loadMs: read / chunks / bytesPerMs,
    loadBytes: read / chunks,
    decodeMs: 0,
    multiplyMs: 0,
    finishMs: vectorOps / chunks / rates.vectorOpsPerMs,
    storeMs: written / chunks / bytesPerMs,
    storeBytes: written / chunks,
  };
  return {
    pipelines: [
      {
        path: queues ? 'dma' : 'l2',
        tiles: 1,
        setup: { loadMs: 0, convertMs: 0 },
        chunk,
        fullChunks: chunks,
        rest: null,
      },
    ],
    repeats: 1,
    dmaBytes: queues ? read + written : 0,
    l2Bytes: queues ? 0 : read + written,
    matrixMacs: 0,
    tcmPeakBytes: 0,
  };
}
