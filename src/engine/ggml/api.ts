import type { IKoffi, NativeLibrary } from './koffi.js';

/** An address in the process. Null stands for C's NULL. */
export type Pointer = bigint;

const P = 'void *';

/** Functions of libggml-base that are used, with C's types: [result, arguments]. */
const BASE = {
  ggml_version: ['const char *', []],
  ggml_type_name: ['const char *', ['int']],
  ggml_type_size: ['size_t', ['int']],
  ggml_blck_size: ['int64_t', ['int']],
  ggml_get_mem_size: ['size_t', [P]],
  ggml_get_no_alloc: ['bool', [P]],
  ggml_tensor_overhead: ['size_t', []],
  ggml_graph_overhead_custom: ['size_t', ['size_t', 'bool']],
  ggml_init: [P, ['ggml_init_params']],
  ggml_free: ['void', [P]],
  ggml_new_tensor_1d: [P, [P, 'int', 'int64_t']],
  ggml_new_tensor_2d: [P, [P, 'int', 'int64_t', 'int64_t']],
  ggml_new_tensor_3d: [P, [P, 'int', 'int64_t', 'int64_t', 'int64_t']],
  ggml_set_name: [P, [P, 'const char *']],
  ggml_get_name: ['const char *', [P]],
  ggml_set_input: ['void', [P]],
  ggml_set_output: ['void', [P]],
  ggml_nbytes: ['size_t', [P]],
  ggml_row_size: ['size_t', ['int', 'int64_t']],
  ggml_get_data: [P, [P]],
  ggml_op_desc: ['const char *', [P]],
  ggml_validate_row_data: ['bool', ['int', P, 'size_t']],
  ggml_get_rows: [P, [P, P, P]],
  ggml_set_rows: [P, [P, P, P, P]],
  ggml_rms_norm: [P, [P, P, 'float']],
  ggml_norm: [P, [P, P, 'float']],
  ggml_mul: [P, [P, P, P]],
  ggml_add: [P, [P, P, P]],
  ggml_div: [P, [P, P, P]],
  ggml_mul_mat: [P, [P, P, P]],
  ggml_mul_mat_id: [P, [P, P, P, P]],
  ggml_rope_ext: [P, [P, P, P, P, 'int', 'int', 'int', 'float', 'float', 'float', 'float', 'float', 'float']],
  ggml_flash_attn_ext: [P, [P, P, P, P, P, 'float', 'float', 'float']],
  ggml_flash_attn_ext_set_prec: ['void', [P, 'int']],
  ggml_swiglu_split: [P, [P, P, P]],
  ggml_gelu_erf: [P, [P, P]],
  ggml_sigmoid: [P, [P, P]],
  ggml_sqr: [P, [P, P]],
  ggml_scale_bias: [P, [P, P, 'float', 'float']],
  ggml_soft_max: [P, [P, P]],
  ggml_soft_max_ext: [P, [P, P, P, 'float', 'float']],
  ggml_cont: [P, [P, P]],
  ggml_argsort_top_k: [P, [P, P, 'int']],
  ggml_sum_rows: [P, [P, P]],
  ggml_permute: [P, [P, P, 'int', 'int', 'int', 'int']],
  ggml_reshape_2d: [P, [P, P, 'int64_t', 'int64_t']],
  ggml_reshape_3d: [P, [P, P, 'int64_t', 'int64_t', 'int64_t']],
  ggml_view_2d: [P, [P, P, 'int64_t', 'int64_t', 'size_t', 'size_t']],
  ggml_view_3d: [P, [P, P, 'int64_t', 'int64_t', 'int64_t', 'size_t', 'size_t', 'size_t']],
  ggml_new_graph_custom: [P, [P, 'size_t', 'bool']],
  ggml_build_forward_expand: ['void', [P, P]],
  ggml_graph_add_node: ['void', [P, P]],
  ggml_graph_n_nodes: ['int', [P]],
  ggml_graph_node: [P, [P, 'int']],
  ggml_gallocr_new: [P, [P]],
  ggml_gallocr_free: ['void', [P]],
  ggml_gallocr_alloc_graph: ['bool', [P, P]],
  ggml_gallocr_get_buffer_size: ['size_t', [P, 'int']],
  ggml_backend_alloc_ctx_tensors_from_buft: [P, [P, P]],
  ggml_backend_buft_alloc_buffer: [P, [P, 'size_t']],
  ggml_backend_buft_name: ['const char *', [P]],
  ggml_backend_buffer_free: ['void', [P]],
  ggml_backend_buffer_clear: ['void', [P, 'uint8_t']],
  ggml_backend_buffer_is_host: ['bool', [P]],
  ggml_backend_buffer_get_base: [P, [P]],
  ggml_backend_buffer_get_size: ['size_t', [P]],
  ggml_backend_buffer_set_usage: ['void', [P, 'int']],
  ggml_backend_cpu_buffer_from_ptr: [P, [P, 'size_t']],
  ggml_backend_tensor_alloc: ['int', [P, P, P]],
  ggml_backend_tensor_set: ['void', [P, P, 'size_t', 'size_t']],
  ggml_backend_tensor_get: ['void', [P, P, 'size_t', 'size_t']],
  ggml_backend_graph_compute: ['int', [P, P]],
  ggml_backend_free: ['void', [P]],
  ggml_backend_dev_name: ['const char *', [P]],
  ggml_backend_dev_description: ['const char *', [P]],
  ggml_backend_dev_type: ['int', [P]],
  ggml_backend_dev_memory: ['void', [P, 'OUT_SIZE', 'OUT_SIZE']],
  ggml_backend_dev_init: [P, [P, P]],
  ggml_backend_dev_buffer_type: [P, [P]],
  ggml_backend_dev_supports_op: ['bool', [P, P]],
  ggml_backend_dev_backend_reg: [P, [P]],
  ggml_backend_reg_name: ['const char *', [P]],
  ggml_backend_reg_get_proc_address: [P, [P, 'const char *']],
  ggml_backend_sched_new: [P, [P, P, 'int', 'size_t', 'bool', 'bool']],
  ggml_backend_sched_free: ['void', [P]],
  ggml_backend_sched_alloc_graph: ['bool', [P, P]],
  ggml_backend_sched_graph_compute: ['int', [P, P]],
  ggml_backend_sched_get_buffer_size: ['size_t', [P, P]],
  ggml_backend_sched_get_tensor_backend: [P, [P, P]],
  ggml_log_set: ['void', [P, P]],
} as const;

/** Functions of libggml, which loads the backends. */
const LOADER = {
  ggml_backend_load_all_from_path: ['void', ['const char *']],
  ggml_backend_dev_count: ['size_t', []],
  ggml_backend_dev_get: [P, ['size_t']],
} as const;

interface CTypes {
  void: undefined;
  bool: boolean;
  int: number;
  float: number;
  uint8_t: number;
  int64_t: number;
  size_t: number;
  OUT_SIZE: number[];
  'const char *': string;
  ggml_init_params: { readonly mem_size: number; readonly mem_buffer: null; readonly no_alloc: boolean };
}

type Result<T> = T extends typeof P ? Pointer : T extends keyof CTypes ? CTypes[T] : never;
type Argument<T> = T extends typeof P
  ? Pointer | NodeJS.ArrayBufferView | null
  : T extends keyof CTypes
    ? CTypes[T]
    : never;
type Signature = readonly [string, readonly string[]];
type Arguments<A extends readonly string[]> = { [I in keyof A]: Argument<A[I]> };
type Bound<T extends Readonly<Record<string, Signature>>> = {
  readonly [K in keyof T]: (...args: Arguments<T[K][1]>) => Result<T[K][0]>;
};

/** The functions of ggml that this engine calls, typed. */
export type GgmlApi = Bound<typeof BASE> & Bound<typeof LOADER>;

/** Every function that must be there. */
export const SYMBOLS: { readonly base: readonly string[]; readonly loader: readonly string[] } = {
  base: Object.keys(BASE),
  loader: Object.keys(LOADER),
};

/** Binds all functions. @throws Error naming the first that a library does not have */
export function bindApi(koffi: IKoffi, base: NativeLibrary, loader: NativeLibrary): GgmlApi {
  const init = koffi.struct({ mem_size: 'size_t', mem_buffer: P, no_alloc: 'bool' });
  const outSize = koffi.out(koffi.pointer('size_t'));
  const typed = (name: string) => (name === 'ggml_init_params' ? init : name === 'OUT_SIZE' ? outSize : name);
  const bind = (library: NativeLibrary, table: Readonly<Record<string, Signature>>) =>
    Object.entries(table).map(([name, [result, args]]) => [
      name,
      library.func(name, result, args.map(typed)),
    ]);
  return Object.fromEntries([...bind(base, BASE), ...bind(loader, LOADER)]) as GgmlApi;
}
