import { EnvironmentError } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';
import type { Pointer } from './api.js';
import type { SlotMemory } from './arena.js';
import type { Backend } from './backend.js';
import type { Ggml } from './library.js';

/** Slots come in pieces of so many: attention sees whole pieces, the rest of the last one hidden by its mask. */
export const SLOT_STEP = 32;

const F32 = 0;
const F32_BYTES = 4;

/** The arena in the memory of a device: per layer a K and a V tensor [width, slots], in f32 as the reference has them. */
export class NativeSlots implements SlotMemory {
  capacity = 0;
  private context: Pointer | null = null;
  private buffer: Pointer | null = null;
  private tensors: Pointer[] = [];
  /** Rows of a tensor as the process sees them; null where memory is the device's own. */
  private views: Float32Array[] | null = null;
  private readonly layers: number;
  private readonly width: number;

  /** @param onMove told when tensors have moved: graphs that name them are void */
  constructor(
    private readonly ggml: Ggml,
    private readonly backend: Backend,
    { layers, kvHeads, headDim }: ModelConfig,
    private readonly onMove: () => void,
  ) {
    this.layers = layers;
    this.width = kvHeads * headDim;
  }

  /** Tensor [width, capacity] of a layer. */
  tensor(layer: number, part: 'k' | 'v'): Pointer {
    const tensor = this.tensors[2 * layer + (part === 'k' ? 0 : 1)];
    if (tensor === undefined) throw new Error(`no arena of layer ${layer}`);
    return tensor;
  }

  grow(slots: number): void {
    const wanted = Math.ceil(Math.max(slots, this.capacity * 1.25) / SLOT_STEP) * SLOT_STEP;
    const held = Array.from({ length: this.capacity }, (_, slot) => this.read(slot));
    this.free();
    this.allocate(wanted);
    held.forEach((values, slot) => {
      this.write(slot, values);
    });
    this.onMove();
  }

  read(slot: number): Float32Array {
    const { width, tensors, views } = this;
    const values = new Float32Array(tensors.length * width);
    for (let i = 0; i < tensors.length; i++) {
      const part = values.subarray(i * width, (i + 1) * width);
      if (views !== null) part.set(views[i]!.subarray(slot * width, (slot + 1) * width));
      else this.ggml.api.ggml_backend_tensor_get(tensors[i]!, part, slot * this.rowBytes, this.rowBytes);
    }
    return values;
  }

  write(slot: number, values: Float32Array): void {
    const { width, tensors, views } = this;
    for (let i = 0; i < tensors.length; i++) {
      const part = values.subarray(i * width, (i + 1) * width);
      if (views !== null) views[i]!.set(part, slot * width);
      else this.ggml.api.ggml_backend_tensor_set(tensors[i]!, part, slot * this.rowBytes, this.rowBytes);
    }
  }

  free(): void {
    const { api } = this.ggml;
    if (this.buffer !== null) api.ggml_backend_buffer_free(this.buffer);
    if (this.context !== null) api.ggml_free(this.context);
    [this.buffer, this.context, this.tensors, this.views, this.capacity] = [null, null, [], null, 0];
  }

  private get rowBytes(): number {
    return this.width * F32_BYTES;
  }

  private allocate(slots: number): void {
    const { api, koffi } = this.ggml;
    const count = 2 * this.layers;
    const size = (count + 1) * api.ggml_tensor_overhead();
    const context = api.ggml_init({ mem_size: size, mem_buffer: null, no_alloc: true });
    this.context = context;
    this.tensors = Array.from({ length: count }, () =>
      api.ggml_new_tensor_2d(context, F32, this.width, slots),
    );
    const buffer = api.ggml_backend_alloc_ctx_tensors_from_buft(context, this.backend.bufferType);
    if (!buffer) {
      const megabytes = Math.ceil((count * slots * this.rowBytes) / 1e6);
      throw new EnvironmentError(
        `engine ggml: no ${megabytes} MB on ${this.backend.device.name} for K and V of ${slots} positions: shorten the answer, or use --device cpu`,
      );
    }
    this.buffer = buffer;
    this.capacity = slots;
    // Hidden slots take part with weight 0, which needs them to be numbers.
    api.ggml_backend_buffer_clear(buffer, 0);
    if (!api.ggml_backend_buffer_is_host(buffer)) return;
    this.views = this.tensors.map(
      (tensor) => new Float32Array(koffi.view(api.ggml_get_data(tensor), slots * this.rowBytes)),
    );
  }
}
