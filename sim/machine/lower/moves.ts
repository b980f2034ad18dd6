import type { LowerContext } from '../kernel.js';

/**
 * Time of a DMA transfer in ms: fixed latency per descriptor, then bytes over rate. While the matrix unit works
 * on another chunk (`besideMatrixMs`) the transfer only gets the slower rate.
 */
export function dmaMs(bytes: number, besideMatrixMs: number, context: LowerContext): number {
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
  const mover = stack.productActivations;
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
