import { EnvironmentError } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';
import { rotationOf } from '../../model/rope.js';
import type { Pointer } from './api.js';
import type { Backend } from './backend.js';
import type { Ggml } from './library.js';

/** Tensors that every graph of a model reads and nothing writes. */
export interface Constants {
  /** One index, 0. */
  readonly zero: Pointer;
  /** What the frequencies of a scaled rotary embedding are divided by; null without scaling. */
  readonly frequencyFactors: Pointer | null;
  free(): void;
}

const F32 = 0;
const I32 = 26;

/** @throws EnvironmentError when the device has no room */
export function makeConstants({ api }: Ggml, backend: Backend, config: ModelConfig): Constants {
  const factors = factorsOf(config);
  const size = 4 * api.ggml_tensor_overhead();
  const context = api.ggml_init({ mem_size: size, mem_buffer: null, no_alloc: true });
  const zero = api.ggml_new_tensor_1d(context, I32, 1);
  const tensor = factors === null ? null : api.ggml_new_tensor_1d(context, F32, factors.length);
  const buffer = api.ggml_backend_alloc_ctx_tensors_from_buft(context, backend.bufferType);
  if (!buffer) {
    api.ggml_free(context);
    throw new EnvironmentError(`engine ggml: ${backend.device.name} has no memory left; use --device cpu`);
  }
  const index = new Int32Array(1);
  api.ggml_backend_tensor_set(zero, index, 0, index.byteLength);
  if (tensor !== null && factors !== null)
    api.ggml_backend_tensor_set(tensor, factors, 0, factors.byteLength);
  return {
    zero,
    frequencyFactors: tensor,
    free: () => {
      api.ggml_backend_buffer_free(buffer);
      api.ggml_free(context);
    },
  };
}

/** Plain frequencies over those of the model: what ggml_rope_ext divides by serves every kind of scaling. */
function factorsOf({ headDim, ropeDims: dims = headDim, ropeTheta: theta, ropeScaling }: ModelConfig) {
  if (ropeScaling === undefined) return null;
  const plain = rotationOf({ dims, theta }).frequencies;
  const scaled = rotationOf({ dims, theta, scaling: ropeScaling }).frequencies;
  return Float32Array.from(plain, (frequency, i) => frequency / scaled[i]);
}
