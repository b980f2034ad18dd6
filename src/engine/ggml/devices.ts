import { EnvironmentError } from '../../errors.js';
import type { Pointer } from './api.js';
import type { Ggml } from './library.js';

/** A device that ggml computes on. */
export interface GgmlDevice {
  /** As ggml calls it, in lower case: `cpu`, `vulkan0`, `htp0`. */
  readonly name: string;
  readonly description: string;
  readonly type: 'cpu' | 'gpu' | 'accelerator';
  /** Of its memory; 0 where the device does not say. */
  readonly bytes: number;
}

interface OpenDevice extends GgmlDevice {
  readonly pointer: Pointer;
}

/** enum ggml_backend_dev_type (ggml-backend.h): CPU, GPU, integrated GPU, accelerator. */
const KINDS = ['cpu', 'gpu', 'gpu', 'accelerator'] as const;

/** What this ggml offers on this machine. */
export function listDevices(ggml: Ggml): GgmlDevice[] {
  return pointers(ggml).map((pointer) => {
    const { pointer: _, ...device } = describe(ggml, pointer);
    return device;
  });
}

/** @throws EnvironmentError naming those that are there */
export function findDevice(ggml: Ggml, name: string): OpenDevice {
  const devices = pointers(ggml).map((pointer) => describe(ggml, pointer));
  const found = devices.find((device) => device.name === name.toLowerCase());
  if (found !== undefined) return found;
  const names = devices.map((device) => device.name).join(', ');
  throw new EnvironmentError(
    `engine ggml: there is no device ${name} here, only ${names}; another package of node-llama-cpp or a ggml of your own may have it (docs/howto/ggml.md)`,
  );
}

function pointers({ api }: Ggml): Pointer[] {
  return Array.from({ length: api.ggml_backend_dev_count() }, (_, i) => api.ggml_backend_dev_get(i));
}

function describe({ api }: Ggml, pointer: Pointer): OpenDevice {
  const total = [0];
  api.ggml_backend_dev_memory(pointer, [0], total);
  return {
    pointer,
    name: api.ggml_backend_dev_name(pointer).toLowerCase(),
    description: api.ggml_backend_dev_description(pointer),
    type: KINDS[api.ggml_backend_dev_type(pointer)] ?? 'accelerator',
    bytes: Number(total[0]),
  };
}
