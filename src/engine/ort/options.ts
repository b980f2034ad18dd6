import type { Compute } from '../../onnx/compute.js';

export interface OrtEngineOptions {
  /** Threads of one operator. Default 1: sums then have one order on every machine. */
  readonly threads?: number;
  /** Products with quantised weights: exact `f32` (default) or faster `int8` activations. */
  readonly compute?: Compute;
  /**
   * File the weights come from. With it the ONNX model is kept in `cacheDirectory` and used again; without it, it is
   * written to a temporary directory and removed by `dispose`.
   */
  readonly weightsPath?: string;
  /** Default: `dllm-npu` in the user's cache directory. */
  readonly cacheDirectory?: string;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}
