import type { KvSetShape, PassShape } from '../pass/shape.js';
import type { ModelConfig } from './config.js';
import type { DType, MatMulRole, Op, OpGraph, Precision, StateMixOp } from './graph.js';
import { GraphBuilder } from './graph-builder.js';
import { SMALL_WEIGHT_DTYPE } from './precision.js';
import { isOfAdapter, type LayerWeight, layerWeightId } from './weight-ids.js';

/** Ids of the inputs a graph may have. */
export const INPUT_IDS = {
  ids: 'ids',
  positions: 'positions',
  logitsRows: 'logits_rows',
  visibility: 'visibility',
  /** Only of models that are timed and not run. */
  probabilities: 'probabilities',
} as const;

/** Id of the cached K or V of a KV set at one layer, [length, kvHeads * headDim]. */
export function kvInputId(set: string, layer: number, part: 'k' | 'v'): string {
  return `kv.${set}.${layer}.${part}`;
}

type Wiring = 'id' | 'layer' | 'inputs' | 'weights' | 'outputs';
type WithoutWiring<O> = O extends Op ? Omit<O, Wiring> : never;

/** How an operator hangs in the graph; its one output carries its name. */
export interface Place {
  readonly name: string;
  readonly layer: number | null;
  readonly inputs: readonly string[];
  readonly weights?: readonly string[];
  readonly dtype?: DType;
}

export type NormWeight = 'attn_norm' | 'ffn_norm' | 'attn_q_norm' | 'attn_k_norm';

interface MatMul {
  readonly role: MatMulRole;
  readonly x: string;
  readonly inWidth: number;
  readonly outWidth: number;
  readonly bias?: boolean;
  /** Of the output; default that of activations. */
  readonly dtype?: DType;
}

interface StateMix {
  readonly mixer: StateMixOp['mixer'];
  readonly width: number;
  /** Of the convolution. */
  readonly channels: number;
  readonly taps: number;
  readonly macsPerRow: number;
  readonly stateBytes: number;
}

/** An adapter is kept as activations are: it is small, and its inner width need not be a multiple of a block. */
function storedAs(role: MatMulRole, weight: LayerWeight, precision: Precision): DType {
  if (role === 'router') return SMALL_WEIGHT_DTYPE;
  return isOfAdapter(weight) ? precision.activations : precision.weights;
}

/** Emits operators of one pass: one method per kind, which knows its shapes, weights and work. */
export class PassOps {
  protected readonly rows: number;
  protected readonly kvSets: readonly KvSetShape[];

  constructor(
    protected readonly config: ModelConfig,
    protected readonly shape: PassShape,
    protected readonly precision: Precision,
    private readonly builder = new GraphBuilder(),
  ) {
    this.rows = shape.rows;
    this.kvSets = shape.kvSets.filter((set) => set.length > 0);
  }

  /** Operators of the same pass for a layer whose sizes differ from the model's. */
  withSizes(sizes: Partial<Pick<ModelConfig, 'heads' | 'headDim' | 'kvHeads' | 'ffn'>>): PassOps {
    return new PassOps({ ...this.config, ...sizes }, this.shape, this.precision, this.builder);
  }

  embed(table: string): string {
    const { rows } = this;
    const { vocab, hidden } = this.config;
    const inputs = [this.input(INPUT_IDS.ids, [rows], 'i32')];
    const weights = [this.weight(table, [vocab, hidden], this.precision.embedding, null)];
    const work = { macs: 0, vectorElements: rows * hidden };
    return this.emit(
      { name: 'embed', layer: null, inputs, weights },
      { kind: 'embed', entries: vocab, rows, width: hidden, ...work },
    );
  }

  /** Expected embedding of every row under the probabilities of the step before: the table, multiplied by from the other side. */
  expectedEmbedding(table: string): string {
    const { rows } = this;
    const { vocab, hidden } = this.config;
    const inputs = [this.input(INPUT_IDS.probabilities, [rows, vocab], this.precision.activations)];
    const weights = [this.weight(table, [vocab, hidden], this.precision.embedding, null)];
    const work = { macs: rows * vocab * hidden, vectorElements: 0 };
    return this.emit(
      { name: 'expected_embd', layer: null, inputs, weights },
      { kind: 'matmul', role: 'head', rows, inWidth: vocab, outWidth: hidden, bias: false, ...work },
    );
  }

  /** RMSNorm of the residual, or of every head of Q or K. */
  norm(layer: number, weight: NormWeight, x: string, heads?: number): string {
    const width = heads === undefined ? this.config.hidden : heads * this.config.headDim;
    const gain = layerWeightId(layer, weight);
    return this.rmsnorm(
      { name: `blk.${layer}.${weight}`, layer, inputs: [x] },
      gain,
      this.rows,
      width,
      heads ?? 1,
    );
  }

  matmul(
    layer: number,
    weight: LayerWeight,
    { role, x, inWidth, outWidth, bias = false, dtype }: MatMul,
  ): string {
    const { rows, precision } = this;
    const stored = storedAs(role, weight, precision);
    const owner = this.ownerOf(layer);
    const weights = [this.weight(layerWeightId(owner, weight), [outWidth, inWidth], stored, owner)];
    if (bias) {
      weights.push(this.weight(layerWeightId(owner, weight, 'bias'), [outWidth], SMALL_WEIGHT_DTYPE, owner));
    }
    const work = { macs: rows * inWidth * outWidth, vectorElements: bias ? rows * outWidth : 0 };
    return this.emit(
      { name: `blk.${layer}.${weight}`, layer, inputs: [x], weights, dtype: dtype ?? precision.activations },
      { kind: 'matmul', role, rows, inWidth, outWidth, bias, ...work },
    );
  }

  rope(layer: number, part: 'q' | 'k', x: string, heads: number): string {
    const { rows, precision } = this;
    const { headDim, ropeTheta: theta, ropeDims: dims = headDim, ropeScaling: scaling } = this.config;
    const inputs = [x, this.input(INPUT_IDS.positions, [rows], 'i32')];
    const dtype = part === 'k' ? precision.kv : precision.activations;
    const work = { macs: 0, vectorElements: rows * heads * headDim };
    const place = { name: `blk.${layer}.${part}_rope`, layer, inputs, dtype };
    return this.emit(place, { kind: 'rope', rows, heads, headDim, dims, theta, scaling, ...work });
  }

  /** @param window most cached positions a row attends to */
  attention(layer: number, q: string, k: string, v: string, window = Number.POSITIVE_INFINITY): string {
    const { rows } = this;
    const kvSets = this.kvSets.map((set) => ({ ...set, length: Math.min(set.length, window) }));
    const keys = rows + kvSets.reduce((sum, set) => sum + set.length, 0);
    const { heads, kvHeads, headDim } = this.config;
    const { masked } = this.shape;
    const inputs = [q, k, v];
    for (const { name, length } of kvSets) {
      for (const part of ['k', 'v'] as const) {
        const id = kvInputId(name, layer, part);
        inputs.push(this.builder.tensor(id, 'kv', [length, kvHeads * headDim], this.precision.kv, layer));
      }
    }
    if (masked) inputs.push(this.input(INPUT_IDS.visibility, [rows, keys], 'f32'));
    const work = { macs: 2 * rows * keys * heads * headDim, vectorElements: heads * rows * keys };
    return this.emit(
      { name: `blk.${layer}.attn`, layer, inputs },
      { kind: 'attention', rows, heads, kvHeads, headDim, kvSets, keys, masked, ...work },
    );
  }

  /** `projected`, with what the adapter makes of the input of that projection in a pass that drafts. */
  adapted(layer: number, projected: string, x: string): string {
    const { hidden, heads, headDim, draftAdapter } = this.config;
    if (draftAdapter === undefined || this.shape.adapter !== true) return projected;
    const { rank } = draftAdapter;
    const a = { role: 'o', x, inWidth: heads * headDim, outWidth: rank } as const;
    const narrow = this.matmul(layer, 'attn_output_lora_a', a);
    const b = { role: 'o', x: narrow, inWidth: rank, outWidth: hidden } as const;
    return this.add(layer, 'attn_adapted', projected, this.matmul(layer, 'attn_output_lora_b', b), true);
  }

  swiglu(layer: number, gate: string, up: string): string {
    return this.gate(layer, 'ffn_swiglu', gate, up, this.config.ffn);
  }

  /** act(gate) * x of any width. */
  gate(layer: number, name: string, gate: string, x: string, width: number): string {
    const { rows } = this;
    const place = { name: `blk.${layer}.${name}`, layer, inputs: [gate, x] };
    return this.emit(place, { kind: 'swiglu', rows, width, macs: 0, vectorElements: rows * width });
  }

  moe(layer: number, x: string, router: string): string {
    const { rows } = this;
    const { hidden: width, moe } = this.config;
    if (moe === undefined) throw new Error(`${this.config.name} has no experts`);
    const { experts, expertsPerToken, expertFfn, renormalise, grouped } = moe;
    const stack = (weight: LayerWeight, shape: readonly number[]) =>
      this.weight(layerWeightId(layer, weight), shape, this.precision.weights, layer);
    const weights = [
      stack('ffn_gate_exps', [experts, expertFfn, width]),
      stack('ffn_up_exps', [experts, expertFfn, width]),
      stack('ffn_down_exps', [experts, width, expertFfn]),
    ];
    if (grouped !== undefined) {
      const bias = layerWeightId(layer, 'exp_probs_b', 'bias');
      weights.push(this.weight(bias, [experts], SMALL_WEIGHT_DTYPE, layer));
    }
    const routed = rows * expertsPerToken;
    const macs = 3 * routed * width * expertFfn;
    // Router softmax, SwiGLU of each routed row, weighted sum over its experts.
    const vectorElements = rows * experts + routed * expertFfn + routed * width;
    return this.emit(
      { name: `blk.${layer}.ffn_moe`, layer, inputs: [x, router], weights },
      {
        kind: 'moe',
        rows,
        width,
        experts,
        expertsPerToken,
        expertFfn,
        renormalise,
        grouped,
        macs,
        vectorElements,
      },
    );
  }

  /** The arithmetic of a recurrent mixer between its projections; its taps are the only weight. */
  stateMix(layer: number, x: readonly string[], mix: StateMix): string {
    const { rows } = this;
    const { mixer, width, channels, taps, macsPerRow, stateBytes } = mix;
    const conv = this.weight(layerWeightId(layer, 'mixer_conv'), [channels, taps], SMALL_WEIGHT_DTYPE, layer);
    // Convolution, gates and the recurrence are vector work; `macs` counts multiply-accumulates as everywhere.
    const work = { macs: rows * (channels * taps + macsPerRow), vectorElements: rows * (channels + width) };
    return this.emit(
      { name: `blk.${layer}.mixer`, layer, inputs: x, weights: [conv] },
      { kind: 'state-mix', mixer, rows, width, stateBytes, ...work },
    );
  }

  add(layer: number, name: string, a: string, b: string, adapts?: true): string {
    const { rows } = this;
    const width = this.config.hidden;
    const place = { name: `blk.${layer}.${name}`, layer, inputs: [a, b] };
    return this.emit(place, { kind: 'add', adapts, rows, width, macs: 0, vectorElements: rows * width });
  }

  /** Final norm and head over the rows that get logits. */
  head(x: string, matrix: string, dtype: DType): string {
    const { logitsRows: rows } = this.shape;
    const { hidden, vocab } = this.config;
    const inputs = [x, this.input(INPUT_IDS.logitsRows, [rows], 'i32')];
    const gathered = this.emit(
      { name: 'head_rows', layer: null, inputs },
      { kind: 'gather-rows', rows, width: hidden, macs: 0, vectorElements: rows * hidden },
    );
    const place = { name: 'output_norm', layer: null, inputs: [gathered] };
    const normed = this.rmsnorm(place, 'output_norm.weight', rows, hidden, 1);
    const weights = [this.weight(matrix, [vocab, hidden], dtype, null)];
    const work = { macs: rows * hidden * vocab, vectorElements: 0 };
    return this.emit(
      { name: 'logits', layer: null, inputs: [normed], weights, dtype: 'f32' },
      { kind: 'matmul', role: 'head', rows, inWidth: hidden, outWidth: vocab, bias: false, ...work },
    );
  }

  keepKv(k: string, v: string): void {
    this.builder.keepKv(k, v);
  }

  keepLogits(logits: string): void {
    this.builder.keepLogits(logits);
  }

  finish(): OpGraph {
    return this.builder.finish(this.config.name, this.shape, this.precision);
  }

  /** The layer whose weights a layer has: its own. */
  protected ownerOf(layer: number): number {
    return layer;
  }

  private rmsnorm(place: Place, gain: string, rows: number, width: number, groups: number): string {
    const weights = [this.weight(gain, [width / groups], SMALL_WEIGHT_DTYPE, place.layer)];
    const work = { macs: 0, vectorElements: rows * width };
    return this.emit(
      { ...place, weights },
      { kind: 'rmsnorm', rows, width, groups, eps: this.config.rmsEps, ...work },
    );
  }

  protected input(id: string, shape: readonly number[], dtype: DType): string {
    return this.builder.tensor(id, 'input', shape, dtype, null);
  }

  protected weight(id: string, shape: readonly number[], dtype: DType, layer: number | null): string {
    return this.builder.tensor(id, 'weight', shape, this.precision.tensors?.[id] ?? dtype, layer);
  }

  /** Appends an operator and its output tensor, whose id is the operator's. */
  protected emit({ name, layer, inputs, weights = [], dtype }: Place, body: WithoutWiring<Op>): string {
    const shape = [body.rows, outputWidth(body)];
    this.builder.tensor(name, 'activation', shape, dtype ?? this.precision.activations, layer);
    this.builder.op({ id: name, layer, inputs, weights, outputs: [name], ...body });
    return name;
  }
}

function outputWidth(body: WithoutWiring<Op>): number {
  switch (body.kind) {
    case 'matmul':
      return body.outWidth;
    case 'rope':
    case 'attention':
      return body.heads * body.headDim;
    default:
      return body.width;
  }
}
