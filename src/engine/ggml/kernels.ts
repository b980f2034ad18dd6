import { UsageError } from '../../errors.js';
import { INPUT_IDS } from '../../model/build-graph.js';
import type {
  AddOp,
  AttentionOp,
  EmbedOp,
  GatherRowsOp,
  GeluOp,
  LayerNormOp,
  MatMulOp,
  MoeOp,
  Op,
  OpKind,
  RmsNormOp,
  RopeOp,
  StateMixOp,
  SwigluOp,
} from '../../model/graph.js';
import { rotationOf } from '../../model/rope.js';
import type { GgmlApi, Pointer } from './api.js';
import type { Constants } from './constants.js';
import { routeExperts } from './moe.js';
import type { InputName } from './pass-values.js';
import type { NativeWeights } from './weights.js';

/** What kernels share while one graph is built. Activations are [width, rows], ggml's first extent being the fastest. */
export interface KernelContext {
  readonly api: GgmlApi;
  readonly context: Pointer;
  readonly weights: NativeWeights;
  /** Tensor of an activation. */
  value(id: string): Pointer;
  /** Tensor of an input; it becomes part of the graph by being asked for. */
  input(name: InputName): Pointer;
  readonly constants: Constants;
  /** Writes K and V of a layer's rows behind what the pass reads; all of both as [headDim, keys, kvHeads]. */
  cache(op: AttentionOp): { readonly k: Pointer; readonly v: Pointer };
  /** Whether attention of some rows may be products and a softmax: on the CPU, whose flash attention is slow for few. */
  readonly byProducts: boolean;
}

type Kernel<K extends Op> = (op: K, context: KernelContext) => Pointer;

/** Half-split pairs (GGML_ROPE_TYPE_NEOX of ggml.h). */
const ROPE_NEOX = 2;
/** GGML_PREC_F32 of ggml.h. */
const PRECISION_F32 = 10;

function weight(op: Op, index: number): string {
  const id = op.weights[index];
  if (id === undefined) throw new Error(`${op.id} has no weight ${index}`);
  return id;
}

function input(op: Op, index: number): string {
  const id = op.inputs[index];
  if (id === undefined) throw new Error(`${op.id} has no input ${index}`);
  return id;
}

const embed: Kernel<EmbedOp> = (op, { api, context, weights, input: given, constants }) => {
  const [source] = op.inputs;
  const table = weights.plain(weight(op, 0));
  if (source === undefined) return api.ggml_get_rows(context, table, constants.zero);
  return api.ggml_get_rows(context, table, given(source === INPUT_IDS.positions ? 'positions' : 'ids'));
};

const rmsnorm: Kernel<RmsNormOp> = (op, { api, context, weights, value }) => {
  const x = value(input(op, 0));
  const { groups, rows, width } = op;
  const slices = groups === 1 ? x : api.ggml_reshape_2d(context, x, width / groups, rows * groups);
  const normed = api.ggml_rms_norm(context, slices, op.eps);
  const scaled = api.ggml_mul(context, normed, weights.plain(weight(op, 0)));
  return groups === 1 ? scaled : api.ggml_reshape_2d(context, scaled, width, rows);
};

const layernorm: Kernel<LayerNormOp> = (op, { api, context, weights, value }) => {
  const normed = api.ggml_norm(context, value(input(op, 0)), op.eps);
  const scaled = api.ggml_mul(context, normed, weights.plain(weight(op, 0)));
  return api.ggml_add(context, scaled, weights.plain(weight(op, 1)));
};

const matmul: Kernel<MatMulOp> = (op, { api, context, weights, value }) => {
  const y = api.ggml_mul_mat(context, weights.matrix(weight(op, 0)), value(input(op, 0)));
  return op.bias ? api.ggml_add(context, y, weights.plain(weight(op, 1))) : y;
};

const rope: Kernel<RopeOp> = (op, { api, context, value, input: given, constants }) => {
  const { heads, headDim, rows, dims, theta } = op;
  const x = api.ggml_reshape_3d(context, value(input(op, 0)), headDim, heads, rows);
  const { magnitude } = rotationOf(op);
  const plain = [theta, 1, 0, magnitude, 0, 0] as const;
  const turned = api.ggml_rope_ext(
    context,
    x,
    given('positions'),
    constants.frequencyFactors,
    dims,
    ROPE_NEOX,
    0,
    ...plain,
  );
  return api.ggml_reshape_2d(context, turned, headDim * heads, rows);
};

/**
 * Rows from which ggml's flash attention on a CPU computes in tiles (GGML_FA_TILE_Q of ggml-cpu's ops.cpp). Below it goes key
 * by key: 32 rows of tiny-llada after 160 take 5.1 ms with it, 3.4 ms by two products and a softmax. With few rows, turning V
 * costs more (4 rows: 0.83 and 0.88 ms; 8: 1.49 and 1.30; one core).
 */
const [FEWEST_BY_PRODUCTS, FLASH_TILE] = [8, 64];

const attention: Kernel<AttentionOp> = (op, { api, context, value, cache, input: given, byProducts }) => {
  const { heads, headDim, rows } = op;
  const { k, v } = cache(op);
  const q = api.ggml_reshape_3d(context, value(input(op, 0)), headDim, heads, rows);
  const byHead = api.ggml_permute(context, q, 0, 2, 1, 3);
  if (byProducts && rows >= FEWEST_BY_PRODUCTS && rows < FLASH_TILE) {
    const named = (tensor: Pointer) => api.ggml_set_name(tensor, op.id);
    const scores = named(api.ggml_mul_mat(context, k, named(api.ggml_cont(context, byHead))));
    const shares = named(api.ggml_soft_max_ext(context, scores, given('mask'), 1 / Math.sqrt(headDim), 0));
    const byChannel = named(api.ggml_cont(context, api.ggml_permute(context, v, 1, 0, 2, 3)));
    const summed = named(api.ggml_mul_mat(context, byChannel, shares));
    const permuted = api.ggml_permute(context, summed, 0, 2, 1, 3);
    const byRow = named(api.ggml_cont(context, permuted));
    return api.ggml_reshape_2d(context, byRow, headDim * heads, rows);
  }
  const mixed = api.ggml_flash_attn_ext(context, byHead, k, v, given('mask'), 1 / Math.sqrt(headDim), 0, 0);
  api.ggml_flash_attn_ext_set_prec(mixed, PRECISION_F32);
  return api.ggml_reshape_2d(context, mixed, headDim * heads, rows);
};

const swiglu: Kernel<SwigluOp> = (op, { api, context, value }) =>
  api.ggml_swiglu_split(context, value(input(op, 0)), value(input(op, 1)));

/**
 * ggml's own approximation by tanh looks values up in f16. x (1 + tanh u) / 2 = x sigmoid(2 u) with
 * u = sqrt(2 / pi) (x + 0.044715 x^3) is exact to the last digits of f32.
 */
const gelu: Kernel<GeluOp> = (op, { api, context, value }) => {
  const x = value(input(op, 0));
  if (op.form === 'gelu') return api.ggml_gelu_erf(context, x);
  const slope = 2 * Math.sqrt(2 / Math.PI);
  const factor = api.ggml_scale_bias(context, api.ggml_sqr(context, x), slope * 0.044715, slope);
  return api.ggml_mul(context, x, api.ggml_sigmoid(context, api.ggml_mul(context, x, factor)));
};

const add: Kernel<AddOp> = (op, { api, context, value }) =>
  api.ggml_add(context, value(input(op, 0)), value(input(op, 1)));

const gatherRows: Kernel<GatherRowsOp> = (op, { api, context, value, input: given }) =>
  api.ggml_get_rows(context, value(input(op, 0)), given('logitsRows'));

const moe: Kernel<MoeOp> = (op, { api, context, weights, value }) => {
  const [gate, up, down] = [0, 1, 2].map((index) => weights.matrix(weight(op, index))) as [
    Pointer,
    Pointer,
    Pointer,
  ];
  return routeExperts(api, context, op, {
    x: value(input(op, 0)),
    router: value(input(op, 1)),
    gate,
    up,
    down,
    bias: op.grouped === undefined ? undefined : weights.plain(weight(op, 3)),
  });
};

function refuse({ id, mixer }: StateMixOp): never {
  throw new UsageError(`${id}: a ${mixer} layer can be timed, not run`);
}

/** One kernel per operator kind. The type makes a kind without a kernel a compile error. */
const KERNELS: { readonly [K in OpKind]: Kernel<Extract<Op, { kind: K }>> } = {
  embed,
  rmsnorm,
  layernorm,
  matmul,
  rope,
  attention,
  swiglu,
  gelu,
  add,
  'gather-rows': gatherRows,
  moe,
  'state-mix': (op) => refuse(op),
};

/** Adds the nodes of one operator. @returns the tensor it writes */
export function buildKernel(op: Op, context: KernelContext): Pointer {
  const kernel = KERNELS[op.kind] as Kernel<Op> | undefined;
  if (kernel === undefined) throw new Error(`no ggml kernel for operator kind "${op.kind}"`);
  return kernel(op, context);
}
