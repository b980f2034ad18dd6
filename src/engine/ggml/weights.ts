import { setImmediate as turn } from 'node:timers/promises';
import { EnvironmentError } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';
import { CODECS, type WeightDType } from '../../model/formats/blocks/index.js';
import { decodeWeight } from '../../model/formats/codec.js';
import { headId, isTable, weightShapes } from '../../model/weight-ids.js';
import { checkWeights, type WeightSource } from '../../model/weights.js';
import type { Pointer } from './api.js';
import type { Backend } from './backend.js';
import type { Ggml } from './library.js';
import { MappedFiles, type MappedRange } from './mapped-files.js';

/** A model's weights where the device computes with them, as their file stores them. */
export interface NativeWeights {
  /** Rows are looked up, values added or multiplied. */
  plain(id: string): Pointer;
  /** Rows are multiplied by: in the layout that the device is fastest with. */
  matrix(id: string): Pointer;
  /** Bytes of the copies made; what is mapped from files is not among them. */
  readonly copiedBytes: number;
  readonly mappedBytes: number;
  free(): void;
}

export interface WeightHooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

interface Wanted {
  readonly id: string;
  readonly shape: readonly number[];
  readonly dtype: WeightDType;
  readonly use: 'plain' | 'matrix';
}

/** GGML_BACKEND_BUFFER_USAGE_WEIGHTS (ggml-backend.h). */
const USAGE_WEIGHTS = 1;
const F32 = 0;

/**
 * Brings a model's weights to a device: repacked where that makes products faster, else mapped from the file where the device
 * reads the process's memory, else copied.
 * @throws DataError when a weight is missing, misshapen or holds values that are not finite; EnvironmentError when
 *   the device has no room
 */
export async function loadNativeWeights(
  ggml: Ggml,
  backend: Backend,
  config: ModelConfig,
  source: WeightSource,
  hooks: WeightHooks = {},
): Promise<NativeWeights> {
  checkWeights(config, source);
  const loader = new WeightLoader(ggml, backend, source);
  try {
    const bytesOf = ({ id }: Wanted) => source.info(id)?.bytes ?? 0;
    // What is repacked is there twice for a moment: the largest while little else is.
    const wanted = wantedWeights(config, source).sort((a, b) => bytesOf(b) - bytesOf(a));
    const total = wanted.reduce((sum, weight) => sum + bytesOf(weight), 0);
    let done = 0;
    for (const planned of loader.plan(wanted)) {
      hooks.signal?.throwIfAborted();
      await loader.load(planned);
      done += bytesOf(planned.weight);
      hooks.onProgress?.(done, total);
      await turn();
    }
    return loader.finish();
  } catch (error) {
    loader.free();
    throw error;
  }
}

/** A tied embedding is wanted both ways. */
function wantedWeights(config: ModelConfig, source: WeightSource): Wanted[] {
  return [...weightShapes(config)].flatMap(([id, shape]) => {
    const dtype = source.info(id)?.dtype;
    if (dtype === undefined || dtype === 'i32') throw new Error(`${id} is no weight to compute with`);
    // Gains and biases are added and multiplied in f32, whatever the file has.
    if (shape.length === 1) return [{ id, shape, dtype: 'f32' as const, use: 'plain' as const }];
    const uses: ('plain' | 'matrix')[] = [];
    if (isTable(id)) uses.push('plain');
    if (!isTable(id) || headId(config) === id) uses.push('matrix');
    return uses.map((use) => ({ id, shape, dtype, use }));
  });
}

/** A weight with the tensor it goes to. */
interface Planned {
  readonly weight: Wanted;
  readonly tensor: Pointer;
  /** Where its bytes are in a mapped file; null where they are read. */
  readonly mapped: MappedRange | null;
  /** Whether the tensor lies in the mapped file itself. */
  readonly inFile: boolean;
}

class WeightLoader {
  private readonly tensors = { plain: new Map<string, Pointer>(), matrix: new Map<string, Pointer>() };
  private readonly contexts: Pointer[] = [];
  private readonly buffers: Pointer[] = [];
  private readonly files: MappedFiles | null;
  private readonly layouts = new Map<string, Pointer>();
  private copiedBytes = 0;
  private mappedBytes = 0;

  constructor(
    private readonly ggml: Ggml,
    private readonly backend: Backend,
    private readonly source: WeightSource,
  ) {
    this.files = MappedFiles.open(ggml.koffi);
  }

  /**
   * Makes the tensors and their memory: one buffer for all weights of a layout, which the system can back with large
   * pages. Nothing is read yet.
   */
  plan(wanted: readonly Wanted[]): readonly Planned[] {
    const inFile = this.context(wanted.length);
    const byLayout = new Map<Pointer, Pointer>();
    const planned = wanted.flatMap((weight): Planned[] => {
      const { id, dtype, use } = weight;
      const layout = this.layoutOf(weight);
      const repacked = layout !== this.backend.bufferType;
      // Both ways of a tied embedding are one where neither is repacked.
      const other = use === 'matrix' ? this.tensors.plain.get(id) : undefined;
      if (other !== undefined && !repacked) {
        this.tensors.matrix.set(id, other);
        return [];
      }
      const place = this.source.info(id)?.dtype === dtype ? this.source.place?.(id) : undefined;
      const mapped = place === undefined ? null : (this.files?.map(place) ?? null);
      const stays = mapped?.aligned === true && !repacked && this.backend.device.type === 'cpu';
      let context = inFile;
      if (!stays) {
        context = byLayout.get(layout) ?? this.context(wanted.length);
        byLayout.set(layout, context);
      }
      const tensor = tensorOf(this.ggml, context, weight.shape, dtype);
      this.ggml.api.ggml_set_name(tensor, id);
      this.tensors[use].set(id, tensor);
      return [{ weight, tensor, mapped, inFile: stays }];
    });
    for (const [layout, context] of byLayout) this.allocate(context, layout);
    return planned;
  }

  async load({ weight, tensor, mapped, inFile }: Planned): Promise<void> {
    const { id, dtype } = weight;
    const { api } = this.ggml;
    const bytes = api.ggml_nbytes(tensor);
    if (mapped === null) {
      const asStored = this.source.info(id)?.dtype === dtype;
      const raw = asStored ? await this.source.readRaw(id) : await this.source.read(id);
      if (!api.ggml_validate_row_data(CODECS[dtype].id, raw, bytes)) await this.refuse(weight);
      api.ggml_backend_tensor_set(tensor, raw, 0, bytes);
      return;
    }
    if (!api.ggml_validate_row_data(CODECS[dtype].id, mapped.address, bytes)) await this.refuse(weight);
    if (inFile) {
      api.ggml_backend_tensor_alloc(this.bufferAround(mapped.address, bytes), tensor, mapped.address);
      this.mappedBytes += bytes;
    } else {
      api.ggml_backend_tensor_set(tensor, mapped.address, 0, bytes);
    }
    // The check has read all of it; of a copy nothing is needed, of a table only the rows that are looked up.
    mapped.release();
  }

  finish(): NativeWeights {
    const { tensors, copiedBytes, mappedBytes } = this;
    const at = (use: 'plain' | 'matrix', id: string): Pointer => {
      const tensor = tensors[use].get(id);
      if (tensor === undefined) throw new Error(`no ${use} weight ${id}`);
      return tensor;
    };
    return {
      plain: (id) => at('plain', id),
      matrix: (id) => at('matrix', id),
      copiedBytes,
      mappedBytes,
      free: () => this.free(),
    };
  }

  free(): void {
    const { api } = this.ggml;
    for (const buffer of this.buffers.splice(0)) api.ggml_backend_buffer_free(buffer);
    for (const context of this.contexts.splice(0)) api.ggml_free(context);
    this.files?.close();
  }

  /** The first of the device's layouts in which it multiplies by such a matrix; else its default one. */
  private layoutOf({ shape, dtype, use }: Wanted): Pointer {
    const { bufferType, extraBufferTypes } = this.backend;
    if (use === 'plain') return bufferType;
    const key = `${dtype} ${shape.join('x')}`;
    let layout = this.layouts.get(key);
    if (layout === undefined) {
      layout = extraBufferTypes.find((type) => this.multipliesFrom(type, shape, dtype)) ?? bufferType;
      this.layouts.set(key, layout);
    }
    return layout;
  }

  /** Asks with a matrix of that shape, whose memory is reserved and not touched. */
  private multipliesFrom(type: Pointer, shape: readonly number[], dtype: WeightDType): boolean {
    const { api } = this.ggml;
    const context = newContext(this.ggml, 8);
    try {
      const matrix = tensorOf(this.ggml, context, shape, dtype);
      const buffer = api.ggml_backend_alloc_ctx_tensors_from_buft(context, type);
      if (!buffer) return false;
      const width = shape.at(-1) ?? 1;
      const product =
        shape.length === 2
          ? api.ggml_mul_mat(context, matrix, api.ggml_new_tensor_2d(context, F32, width, 1))
          : api.ggml_mul_mat_id(
              context,
              matrix,
              api.ggml_new_tensor_3d(context, F32, width, 1, 1),
              api.ggml_new_tensor_2d(context, I32, 1, 1),
            );
      const supported = api.ggml_backend_dev_supports_op(this.backend.devicePointer, product);
      api.ggml_backend_buffer_free(buffer);
      return supported;
    } finally {
      api.ggml_free(context);
    }
  }

  private allocate(context: Pointer, type: Pointer): void {
    const { api } = this.ggml;
    const buffer = api.ggml_backend_alloc_ctx_tensors_from_buft(context, type);
    if (!buffer) {
      throw new EnvironmentError(
        `engine ggml: ${this.backend.device.name} has no room for the weights (${api.ggml_backend_buft_name(type)}): take a smaller file, or --device cpu`,
      );
    }
    api.ggml_backend_buffer_set_usage(buffer, USAGE_WEIGHTS);
    this.buffers.push(buffer);
    const bytes = api.ggml_backend_buffer_get_size(buffer);
    this.copiedBytes += bytes;
    if (this.backend.device.type === 'cpu')
      this.files?.preferLargePages(api.ggml_backend_buffer_get_base(buffer), bytes);
  }

  private bufferAround(address: Pointer, bytes: number): Pointer {
    const { api } = this.ggml;
    const buffer = api.ggml_backend_cpu_buffer_from_ptr(address, bytes);
    api.ggml_backend_buffer_set_usage(buffer, USAGE_WEIGHTS);
    this.buffers.push(buffer);
    return buffer;
  }

  /** Freed with the weights. */
  private context(tensors: number): Pointer {
    const context = newContext(this.ggml, tensors);
    this.contexts.push(context);
    return context;
  }

  /** Finds the value that ggml refused, and says where it is. */
  private async refuse({ id, dtype }: Wanted): Promise<never> {
    const label = `${this.source.label}: ${id}`;
    decodeWeight(dtype, await this.source.readRaw(id), label);
    throw new EnvironmentError(`${label}: ggml refuses its ${dtype} blocks`);
  }
}

function newContext({ api }: Ggml, tensors: number): Pointer {
  const size = (tensors + 1) * api.ggml_tensor_overhead();
  return api.ggml_init({ mem_size: size, mem_buffer: null, no_alloc: true });
}

/** ggml_type of 32-bit integers. */
const I32 = 26;

function tensorOf({ api }: Ggml, context: Pointer, shape: readonly number[], dtype: WeightDType): Pointer {
  const type = CODECS[dtype].id;
  const [width, rows, matrices] = [...shape].reverse() as [number, number?, number?];
  if (rows === undefined) return api.ggml_new_tensor_1d(context, type, width);
  if (matrices === undefined) return api.ggml_new_tensor_2d(context, type, width, rows);
  return api.ggml_new_tensor_3d(context, type, width, rows, matrices);
}
