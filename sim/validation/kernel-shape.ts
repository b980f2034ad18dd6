import type { ModelConfig } from '../../src/model/config.js';
import { LLAMA } from '../../src/model/families/llama.js';
import type { PassShape } from '../../src/pass/shape.js';

/** One operator, measured alone. */
export type KernelShape =
  | { readonly kind: 'product'; readonly rows: number; readonly inWidth: number; readonly outWidth: number }
  | {
      readonly kind: 'attention';
      readonly rows: number;
      readonly keys: number;
      readonly heads: number;
      readonly kvHeads: number;
      readonly headDim: number;
    };

/** `m6144 k2048 n742` in ggml's order, `M~64 K2048 N3584` in BLAS order, `d64 h32 kv8 nq1 nkv4096`. */
export function parseKernel(text: string): KernelShape | null {
  const ggml = /\bm(\d+) k(\d+) n(\d+)/.exec(text);
  if (ggml !== null) {
    return { kind: 'product', rows: Number(ggml[3]), inWidth: Number(ggml[2]), outWidth: Number(ggml[1]) };
  }
  const blas = /\bM~?(\d+) K(\d+) N(\d+)/.exec(text);
  if (blas !== null) {
    return { kind: 'product', rows: Number(blas[1]), inWidth: Number(blas[2]), outWidth: Number(blas[3]) };
  }
  const attention = /\bd(\d+) h(\d+) kv(\d+) nq(\d+) nkv(\d+)/.exec(text);
  if (attention === null) return null;
  const [headDim, heads, kvHeads, rows, keys] = attention.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { kind: 'attention', rows, keys, heads, kvHeads, headDim };
}

/** A one-layer model that contains the operator, the pass that runs it, and the name of its part of the time. */
export function kernelPass(kernel: KernelShape): { model: ModelConfig; shape: PassShape; part: string } {
  const product = kernel.kind === 'product';
  const model: ModelConfig = {
    name: 'kernel',
    arch: LLAMA.name,
    layers: 1,
    vocab: 32,
    ropeTheta: 1e4,
    rmsEps: 1e-5,
    qkvBias: false,
    qkNorm: false,
    tiedHead: true,
    shiftLogits: false,
    attention: 'bidirectional',
    contextLength: 4096,
    maskId: null,
    bosId: null,
    endIds: [0],
    hidden: product ? kernel.inWidth : kernel.heads * kernel.headDim,
    ffn: product ? kernel.outWidth : 32,
    heads: product ? 1 : kernel.heads,
    kvHeads: product ? 1 : kernel.kvHeads,
    headDim: product ? 32 : kernel.headDim,
  };
  const cached = product ? 0 : kernel.keys - kernel.rows;
  const kvSets = cached > 0 ? [{ name: 'prefix', length: cached }] : [];
  return {
    model,
    shape: { rows: kernel.rows, kvSets, logitsRows: kernel.rows, masked: false },
    part: product ? 'NPU gate' : 'NPU attention',
  };
}
