/**
 * The operator graph of one forward pass: described once, read by the engines (what are the logits?), the
 * machine (when is it done?), the memory planner (where does it live?) and the ONNX writer.
 */

import type { KvSetShape, PassShape } from '../pass/shape.js';
import type { WeightDType } from './formats/blocks/index.js';
import type { GeluForm, GroupRouting } from './model-shape.js';
import type { RopeShape } from './rope.js';

export type DType = WeightDType | 'i32';

/**
 * - `weight`: constant across steps; - `kv`: cached keys or values read from a named KV set;
 * - `input`: token ids, positions, row indices, visibility; - `activation`: lives inside the pass;
 * - `output`: leaves the pass (logits, fresh K and V of the rows).
 */
export type TensorRole = 'weight' | 'kv' | 'input' | 'activation' | 'output';

export interface TensorInfo {
  readonly id: string;
  readonly role: TensorRole;
  /** Row-major, [rows, columns] for activations, [out, in] for weights. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Exact storage size, quantization blocks included. */
  readonly bytes: number;
  readonly layer: number | null;
  /** Op that writes it; null for weights, KV and inputs. */
  readonly producer: string | null;
  readonly consumers: readonly string[];
}

interface OpBase {
  readonly id: string;
  /** Null outside the layer stack (embedding, head). */
  readonly layer: number | null;
  /** Ids of activations, inputs and KV, in the order the kind defines. */
  readonly inputs: readonly string[];
  readonly weights: readonly string[];
  readonly outputs: readonly string[];
  /** Multiply-accumulates of matrix work (0 for pure vector ops). */
  readonly macs: number;
  /** Elements produced by vector work (0 for pure matrix ops). */
  readonly vectorElements: number;
}

/** inputs: token ids or positions, or none, for row 0 in every row; weights: table [entries, width]. */
export interface EmbedOp extends OpBase {
  readonly kind: 'embed';
  readonly entries: number;
  readonly rows: number;
  readonly width: number;
}

/** inputs: x; weights: gain. `groups` > 1 normalises each of `groups` equal slices of a row (QK-norm). */
export interface RmsNormOp extends OpBase {
  readonly kind: 'rmsnorm';
  readonly rows: number;
  readonly width: number;
  readonly groups: number;
  readonly eps: number;
}

/** (x - mean) / sqrt(variance + eps) * gain + bias of every row. inputs: x; weights: gain, bias. */
export interface LayerNormOp extends OpBase {
  readonly kind: 'layernorm';
  readonly rows: number;
  readonly width: number;
  readonly eps: number;
}

/** What a matrix product is for: machines place and tile by it, reports group by it. */
export type MatMulRole =
  | 'q'
  | 'k'
  | 'v'
  | 'o'
  | 'gate'
  | 'up'
  | 'down'
  | 'router'
  | 'head'
  /** Between the residual and the narrower embedding of a factorised one. */
  | 'factor'
  /** Into and out of a recurrent mixer, and of per-layer embeddings; only in models that are timed, never run. */
  | 'mixer-in'
  | 'mixer-out'
  | 'layer-input';

/** y[rows, out] = x[rows, in] * W[out, in]^T (+ bias). weights: W (, bias). */
export interface MatMulOp extends OpBase {
  readonly kind: 'matmul';
  readonly role: MatMulRole;
  readonly rows: number;
  readonly inWidth: number;
  readonly outWidth: number;
  readonly bias: boolean;
}

/** Half-split rotary embedding (rotate_half) of the first `dims` channels of every head. inputs: x, positions. */
export interface RopeOp extends OpBase, RopeShape {
  readonly kind: 'rope';
  readonly rows: number;
  readonly heads: number;
  readonly headDim: number;
}

/**
 * softmax(q k^T / sqrt(headDim)) v over the concatenation of the named KV sets and the pass's own rows.
 * inputs: q, k, v of the rows, then K and V of each KV set in order, then (if `masked`) visibility.
 */
export interface AttentionOp extends OpBase {
  readonly kind: 'attention';
  readonly rows: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly kvSets: readonly KvSetShape[];
  /** Keys every row may at most see: sum of the set lengths + rows. */
  readonly keys: number;
  readonly masked: boolean;
}

/** silu(gate) * up. inputs: gate, up. */
export interface SwigluOp extends OpBase {
  readonly kind: 'swiglu';
  readonly rows: number;
  readonly width: number;
}

/** x * Phi(x), or its approximation by tanh. inputs: x. */
export interface GeluOp extends OpBase {
  readonly kind: 'gelu';
  readonly rows: number;
  readonly width: number;
  readonly form: GeluForm;
}

/** Addition, of residuals or of embeddings. inputs: a, b; b may be a single row. */
export interface AddOp extends OpBase {
  readonly kind: 'add';
  /** b is an adapter's, and counts in passes that draft: a graph for passes of every kind has an input that says so. */
  readonly adapts?: true;
  readonly rows: number;
  readonly width: number;
}

/** Keeps only the rows whose logits are wanted. inputs: x, row indices. */
export interface GatherRowsOp extends OpBase {
  readonly kind: 'gather-rows';
  readonly rows: number;
  readonly width: number;
}

/** Routed experts. inputs: x, router logits; weights: gate, up, down of all experts, then (if `grouped`) the bias that chooses. */
export interface MoeOp extends OpBase {
  readonly kind: 'moe';
  readonly rows: number;
  readonly width: number;
  readonly experts: number;
  readonly expertsPerToken: number;
  readonly expertFfn: number;
  readonly renormalise: boolean;
  readonly grouped?: GroupRouting;
}

/**
 * A recurrent mixer between its projections: gated short convolution or gated delta rule. It can be timed, and no
 * engine runs it. inputs: the projected rows; weights: the convolution's taps.
 */
export interface StateMixOp extends OpBase {
  readonly kind: 'state-mix';
  readonly mixer: 'short-conv' | 'gated-delta';
  readonly rows: number;
  readonly width: number;
  /** Recurrent state read and written once a pass. */
  readonly stateBytes: number;
}

export type Op =
  | EmbedOp
  | RmsNormOp
  | LayerNormOp
  | MatMulOp
  | RopeOp
  | AttentionOp
  | SwigluOp
  | GeluOp
  | AddOp
  | GatherRowsOp
  | MoeOp
  | StateMixOp;

export type OpKind = Op['kind'];

/** Storage formats of a model as it runs. */
export interface Precision {
  /** Of the matrices of every layer. */
  readonly weights: DType;
  /** Embedding table (looked up by row on the CPU). */
  readonly embedding: DType;
  /** Of the output head. */
  readonly head: DType;
  /** Of cached K and V. */
  readonly kv: 'f32' | 'f16';
  /** Between operators. */
  readonly activations: 'f32' | 'f16';
  /** Matrices of layers that are stored in another format than `weights`, by id: files are mixtures. */
  readonly tensors?: Readonly<Record<string, DType>>;
}

export interface OpGraph {
  readonly model: string;
  readonly shape: PassShape;
  readonly precision: Precision;
  /** In execution order: every op comes after the producers of its inputs. */
  readonly ops: readonly Op[];
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Id of the logits tensor [logitsRows, vocab], null when logitsRows is 0. */
  readonly logits: string | null;
  /** Per layer, the ids of the rows' fresh K (after RoPE) and V, each [rows, kvHeads * headDim]. */
  readonly freshKv: readonly { readonly k: string; readonly v: string }[];
}
