import { CODECS, WEIGHT_DTYPES } from '../../model/formats/blocks/index.js';
import type { GgmlApi } from './api.js';
import type { IKoffi } from './koffi.js';

/** Bytes of ggml_object and ggml_tensor (ggml.h): what `ggml_tensor_overhead` returns where pointers have 8 bytes. */
const TENSOR_OVERHEAD = 32 + 336;

/** Offsets of fields of ggml_tensor (ggml.h). */
const TENSOR = { type: 0, ne: 16, nb: 48 } as const;

const Q4_0 = CODECS.q4_0;

/**
 * Whether structures are laid out as this engine passes and reads them, and types numbered as it numbers them.
 * @returns what differs; null when nothing does
 */
export function selfTest(koffi: IKoffi, api: GgmlApi): string | null {
  const overhead = api.ggml_tensor_overhead();
  if (overhead !== TENSOR_OVERHEAD) return `a tensor takes ${overhead} bytes in place of ${TENSOR_OVERHEAD}`;
  for (const dtype of WEIGHT_DTYPES) {
    const { id, elements, bytes } = CODECS[dtype];
    const found = [api.ggml_type_name(id).toLowerCase(), api.ggml_blck_size(id), api.ggml_type_size(id)];
    const wanted = [dtype, elements, bytes];
    if (found.some((value, i) => value !== wanted[i]))
      return `type ${id} is ${found.join(' ')} in place of ${wanted.join(' ')}`;
  }
  const size = 16 * overhead;
  const context = api.ggml_init({ mem_size: size, mem_buffer: null, no_alloc: true });
  try {
    if (api.ggml_get_mem_size(context) !== size || !api.ggml_get_no_alloc(context))
      return 'ggml_init_params is laid out differently';
    const [columns, rows, depth] = [2 * Q4_0.elements, 3, 5];
    const tensor = api.ggml_new_tensor_3d(context, Q4_0.id, columns, rows, depth);
    const ints = (offset: number) =>
      koffi.decode(tensor, offset, koffi.array('int64', 4)) as ArrayLike<bigint>;
    const type = koffi.decode(tensor, TENSOR.type, 'int') as number;
    const extents = Array.from(ints(TENSOR.ne), Number);
    const strides = Array.from(ints(TENSOR.nb), Number);
    const row = 2 * Q4_0.bytes;
    const wanted = [Q4_0.id, columns, rows, depth, 1, Q4_0.bytes, row, row * rows, row * rows * depth];
    const found = [type, ...extents, ...strides];
    return found.every((value, i) => value === wanted[i]) ? null : 'ggml_tensor is laid out differently';
  } finally {
    api.ggml_free(context);
  }
}
