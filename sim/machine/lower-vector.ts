import type {
  AddOp,
  EmbedOp,
  GatherRowsOp,
  OpGraph,
  RmsNormOp,
  RopeOp,
  StateMixOp,
  SwigluOp,
} from '../../src/model/graph.js';
import type { StackNumbers } from '../stacks/stack.js';
import type { Kernel, LowerContext } from './kernel.js';
import { bytesOf } from './lower-common.js';
import type { ChunkCost } from './pipeline.js';

type VectorOp = AddOp | EmbedOp | GatherRowsOp | RmsNormOp | RopeOp | StateMixOp | SwigluOp;

/** Vector instructions per register of result. */
function opsPerRegister(op: VectorOp, numbers: StackNumbers): number {
  switch (op.kind) {
    case 'rmsnorm':
      return numbers.normOps;
    case 'rope':
      return numbers.ropeOps;
    case 'swiglu':
      return numbers.swigluOps;
    case 'add':
    case 'embed':
    case 'gather-rows':
    case 'state-mix':
      return numbers.addOps;
  }
}

/**
 * Operators without matrix work: vector threads prefetch operands through L2, or through a DMA queue each, compute, and
 * write back. Rows are not padded. Where the gain of a norm is an operator of its own, the normed rows make the way twice.
 */
export function lowerVector(op: VectorOp, graph: OpGraph, context: LowerContext): Kernel {
  const { profile, stack, rates } = context;
  // An embedding reads one row per token, not the table; so does a gather.
  const gathers = op.kind === 'embed' || op.kind === 'gather-rows';
  const operands = bytesOf(graph, gathers ? op.outputs : [...op.inputs, ...op.weights]);
  const inTcm = stack.activationsIn === 'tcm';
  const state = op.kind === 'state-mix' ? op.stateBytes : 0;
  const gain = op.kind === 'rmsnorm' && stack.extraOperators?.normGain === true;
  const again = gain ? bytesOf(graph, op.outputs) : 0;
  const read = (inTcm ? 0 : operands + again) + state;
  const written = (inTcm ? 0 : bytesOf(graph, op.outputs) + again) + state;
  // Recurrences and convolutions multiply on the vector threads.
  const macOps = op.macs / stack.numbers.vectorF16MacsPerCycle;
  const chunks = Math.max(1, Math.ceil((read + written) / stack.numbers.streamChunkBytes));
  const registers = op.vectorElements / profile.npu.vectorLanes;
  const queues = stack.elementwise === 'queues';
  const bytesPerMs = queues ? rates.queuesBytesPerMs : rates.directBytesPerMs;
  const opsEach = opsPerRegister(op, stack.numbers) + (gain ? stack.numbers.addOps : 0);
  const chunk: ChunkCost = {
    loadMs: read / chunks / bytesPerMs,
    decodeMs: 0,
    multiplyMs: 0,
    finishMs: ((registers * opsEach) / stack.numbers.vectorIpc + macOps) / chunks / rates.vectorOpsPerMs,
    storeMs: written / chunks / bytesPerMs,
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
