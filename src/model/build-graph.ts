import { UsageError } from '../errors.js';
import type { ModelConfig } from './config.js';
import type { KvSetShape, MatMulRole, OpGraph, PassShape, Precision } from './graph.js';
import { GraphBuilder } from './graph-builder.js';
import { SMALL_WEIGHT_DTYPE } from './precision.js';
import { embeddingId, headId, type LayerWeight, layerWeightId } from './weight-ids.js';

/** Ids of the inputs a graph may have. */
export const INPUT_IDS = {
  ids: 'ids',
  positions: 'positions',
  logitsRows: 'logits_rows',
  visibility: 'visibility',
} as const;

/** Id of the cached K or V of a KV set at one layer, [length, kvHeads * headDim]. */
export function kvInputId(set: string, layer: number, part: 'k' | 'v'): string {
  return `kv.${set}.${layer}.${part}`;
}

/**
 * The operators of one forward pass. Serves dense and routed feed-forward, grouped-query attention, QKV bias,
 * QK-norm and a tied head; `config` says which.
 *
 * A pass without logits (prefill, seal) ends at the last layer's K and V: its attention, feed-forward and head
 * would produce values nobody reads, so they are not operators of the pass.
 *
 * @throws UsageError for an impossible shape (no rows, more logits rows than rows, unnamed or repeated KV sets)
 */
export function buildGraph(config: ModelConfig, shape: PassShape, precision: Precision): OpGraph {
  checkShape(config, shape);
  return new PassGraph(config, shape, precision).build();
}

function checkShape(config: ModelConfig, shape: PassShape): void {
  const { rows, logitsRows, kvSets } = shape;
  if (!Number.isInteger(rows) || rows < 1) throw new UsageError(`a pass needs at least one row, got ${rows}`);
  if (!Number.isInteger(logitsRows) || logitsRows < 0 || logitsRows > rows) {
    throw new UsageError(`logits rows must be between 0 and ${rows}, got ${logitsRows}`);
  }
  for (const { name, length } of kvSets) {
    if (!Number.isInteger(length) || length < 0) throw new UsageError(`KV set ${name} has length ${length}`);
  }
  if (new Set(kvSets.map((set) => set.name)).size !== kvSets.length)
    throw new UsageError('KV set named twice');
  if (config.heads % config.kvHeads !== 0) {
    throw new UsageError(
      `${config.name}: ${config.heads} heads are not a multiple of ${config.kvHeads} KV heads`,
    );
  }
}

class PassGraph {
  private readonly builder = new GraphBuilder();
  private readonly rows: number;
  private readonly kvSets: readonly KvSetShape[];
  private readonly keys: number;

  constructor(
    private readonly config: ModelConfig,
    private readonly shape: PassShape,
    private readonly precision: Precision,
  ) {
    this.rows = shape.rows;
    this.kvSets = shape.kvSets.filter((set) => set.length > 0);
    this.keys = this.rows + this.kvSets.reduce((sum, set) => sum + set.length, 0);
  }

  build(): OpGraph {
    const { builder, config, shape } = this;
    let x = this.embed();
    builder.tensor(INPUT_IDS.positions, 'input', [this.rows], 'i32', null);
    for (let layer = 0; layer < config.layers; layer++) {
      const { q, k, v } = this.projectQkv(x, layer);
      builder.keepKv(k, v);
      if (shape.logitsRows === 0 && layer === config.layers - 1) break;
      x = this.attend(x, q, k, v, layer);
      x = config.moe === undefined ? this.denseFfn(x, layer) : this.moeFfn(x, layer);
    }
    if (shape.logitsRows > 0) this.head(x);
    return builder.finish(config.name, shape, this.precision);
  }

  private embed(): string {
    const { builder, config, rows } = this;
    const ids = builder.tensor(INPUT_IDS.ids, 'input', [rows], 'i32', null);
    const { vocab, hidden } = config;
    const table = builder.tensor(embeddingId(), 'weight', [vocab, hidden], this.precision.embedding, null);
    const out = this.activation('embed', hidden, null);
    const base = { id: out, layer: null, inputs: [ids], weights: [table], outputs: [out] };
    builder.op({ ...base, kind: 'embed', rows, width: hidden, macs: 0, vectorElements: rows * hidden });
    return out;
  }

  /** Q without K's fate: when the pass ends at this layer, Q is not computed and `q` is empty. */
  private projectQkv(x: string, layer: number): { q: string; k: string; v: string } {
    const { config } = this;
    const kvWidth = config.kvHeads * config.headDim;
    const normed = this.norm(x, layer, 'attn_norm');
    const bias = config.qkvBias;
    const last = this.shape.logitsRows === 0 && layer === config.layers - 1;
    const q = last ? '' : this.rotated('q', normed, config.heads, layer);
    const k = this.rotated('k', normed, config.kvHeads, layer);
    const v = this.matmul('v', 'attn_v', normed, config.hidden, kvWidth, layer, bias, this.precision.kv);
    return { q, k, v };
  }

  /** Q or K: projection, optional QK-norm, RoPE. */
  private rotated(part: 'q' | 'k', normed: string, heads: number, layer: number): string {
    const { builder, config, rows } = this;
    const width = heads * config.headDim;
    const weight = part === 'q' ? 'attn_q' : 'attn_k';
    let y = this.matmul(part, weight, normed, config.hidden, width, layer, config.qkvBias);
    if (config.qkNorm) y = this.norm(y, layer, part === 'q' ? 'attn_q_norm' : 'attn_k_norm', heads);
    const id = `blk.${layer}.${part}_rope`;
    const dtype = part === 'k' ? this.precision.kv : this.precision.activations;
    const out = builder.tensor(id, 'activation', [rows, width], dtype, layer);
    const { headDim, ropeTheta: theta } = config;
    const base = { id, layer, inputs: [y, INPUT_IDS.positions], weights: [], outputs: [out] };
    builder.op({ ...base, kind: 'rope', rows, heads, headDim, theta, macs: 0, vectorElements: rows * width });
    return out;
  }

  private attend(x: string, q: string, k: string, v: string, layer: number): string {
    const { builder, config, rows, keys, kvSets } = this;
    const { heads, kvHeads, headDim } = config;
    const width = heads * headDim;
    const inputs = [q, k, v];
    for (const set of kvSets) {
      for (const part of ['k', 'v'] as const) {
        const shape = [set.length, kvHeads * headDim];
        inputs.push(builder.tensor(kvInputId(set.name, layer, part), 'kv', shape, this.precision.kv, layer));
      }
    }
    const masked = this.shape.masked;
    if (masked) inputs.push(builder.tensor(INPUT_IDS.visibility, 'input', [rows, keys], 'f32', null));
    const id = `blk.${layer}.attn`;
    const out = builder.tensor(id, 'activation', [rows, width], this.precision.activations, layer);
    builder.op({
      ...{ id, layer, inputs, weights: [], outputs: [out], kind: 'attention', rows, heads, kvHeads, headDim },
      ...{ kvSets, keys, masked, macs: 2 * rows * keys * width, vectorElements: heads * rows * keys },
    });
    const projected = this.matmul('o', 'attn_output', out, width, config.hidden, layer);
    return this.add(x, projected, layer, 'attn_residual');
  }

  private denseFfn(x: string, layer: number): string {
    const { builder, config, rows } = this;
    const { hidden, ffn } = config;
    const normed = this.norm(x, layer, 'ffn_norm');
    const gate = this.matmul('gate', 'ffn_gate', normed, hidden, ffn, layer);
    const up = this.matmul('up', 'ffn_up', normed, hidden, ffn, layer);
    const id = `blk.${layer}.ffn_swiglu`;
    const out = this.activation(id, ffn, layer);
    const base = { id, layer, inputs: [gate, up], weights: [], outputs: [out] };
    builder.op({ ...base, kind: 'swiglu', rows, width: ffn, macs: 0, vectorElements: rows * ffn });
    const down = this.matmul('down', 'ffn_down', out, ffn, hidden, layer);
    return this.add(x, down, layer, 'ffn_residual');
  }

  private moeFfn(x: string, layer: number): string {
    const { builder, config, rows } = this;
    const { hidden, moe } = config;
    if (moe === undefined) throw new Error(`${config.name} has no experts`);
    const { experts, expertsPerToken, expertFfn, renormalise } = moe;
    const normed = this.norm(x, layer, 'ffn_norm');
    const router = this.matmul('router', 'ffn_gate_inp', normed, hidden, experts, layer);
    const dtype = this.precision.weights;
    const weights = [
      builder.tensor(
        layerWeightId(layer, 'ffn_gate_exps'),
        'weight',
        [experts, expertFfn, hidden],
        dtype,
        layer,
      ),
      builder.tensor(
        layerWeightId(layer, 'ffn_up_exps'),
        'weight',
        [experts, expertFfn, hidden],
        dtype,
        layer,
      ),
      builder.tensor(
        layerWeightId(layer, 'ffn_down_exps'),
        'weight',
        [experts, hidden, expertFfn],
        dtype,
        layer,
      ),
    ];
    const id = `blk.${layer}.ffn_moe`;
    const out = this.activation(id, hidden, layer);
    const routed = rows * expertsPerToken;
    builder.op({
      ...{ id, layer, inputs: [normed, router], weights, outputs: [out], kind: 'moe', rows, width: hidden },
      ...{ experts, expertsPerToken, expertFfn, renormalise, macs: 3 * routed * hidden * expertFfn },
      // Router softmax, SwiGLU of each routed row, weighted sum over its experts.
      vectorElements: rows * experts + routed * expertFfn + routed * hidden,
    });
    return this.add(x, out, layer, 'ffn_residual');
  }

  /** Only the rows somebody asked for reach the head. */
  private head(x: string): void {
    const { builder, config } = this;
    const rows = this.shape.logitsRows;
    const { hidden, vocab } = config;
    const indices = builder.tensor(INPUT_IDS.logitsRows, 'input', [rows], 'i32', null);
    const gathered = this.activation('head_rows', hidden, null, rows);
    const base = { id: gathered, layer: null, inputs: [x, indices], weights: [], outputs: [gathered] };
    builder.op({ ...base, kind: 'gather-rows', rows, width: hidden, macs: 0, vectorElements: rows * hidden });
    const normed = this.norm(gathered, null, 'output_norm', 1, rows);
    const weight = builder.tensor(headId(config), 'weight', [vocab, hidden], this.headDtype(), null);
    const out = builder.tensor('logits', 'activation', [rows, vocab], 'f32', null);
    builder.op({
      ...{
        id: out,
        layer: null,
        inputs: [normed],
        weights: [weight],
        outputs: [out],
        kind: 'matmul',
        role: 'head',
      },
      ...{
        rows,
        inWidth: hidden,
        outWidth: vocab,
        bias: false,
        macs: rows * hidden * vocab,
        vectorElements: 0,
      },
    });
    builder.keepLogits(out);
  }

  /** A tied head is the embedding table, in its format. */
  private headDtype() {
    return this.config.tiedHead ? this.precision.embedding : this.precision.head;
  }

  private norm(
    x: string,
    layer: number | null,
    weight: 'attn_norm' | 'ffn_norm' | 'attn_q_norm' | 'attn_k_norm' | 'output_norm',
    groups = 1,
    rows = this.rows,
  ): string {
    const { builder, config } = this;
    const width =
      weight === 'attn_q_norm' || weight === 'attn_k_norm' ? groups * config.headDim : config.hidden;
    const name = weight === 'output_norm' ? 'output_norm.weight' : layerWeightId(layer ?? 0, weight);
    const gain = builder.tensor(name, 'weight', [width / groups], SMALL_WEIGHT_DTYPE, layer);
    const id = layer === null ? weight : `blk.${layer}.${weight}`;
    const out = this.activation(id, width, layer, rows);
    const base = { id, layer, inputs: [x], weights: [gain], outputs: [out], macs: 0 };
    builder.op({
      ...base,
      kind: 'rmsnorm',
      rows,
      width,
      groups,
      eps: config.rmsEps,
      vectorElements: rows * width,
    });
    return out;
  }

  private matmul(
    role: MatMulRole,
    weight: LayerWeight,
    x: string,
    inWidth: number,
    outWidth: number,
    layer: number,
    bias = false,
    dtype = this.precision.activations,
  ): string {
    const { builder, rows } = this;
    const weightDtype = role === 'router' ? SMALL_WEIGHT_DTYPE : this.precision.weights;
    const weights = [
      builder.tensor(layerWeightId(layer, weight), 'weight', [outWidth, inWidth], weightDtype, layer),
    ];
    if (bias) {
      const id = layerWeightId(layer, weight, 'bias');
      weights.push(builder.tensor(id, 'weight', [outWidth], SMALL_WEIGHT_DTYPE, layer));
    }
    const id = `blk.${layer}.${weight}`;
    const out = builder.tensor(id, 'activation', [rows, outWidth], dtype, layer);
    builder.op({
      ...{
        id,
        layer,
        inputs: [x],
        weights,
        outputs: [out],
        kind: 'matmul',
        role,
        rows,
        inWidth,
        outWidth,
        bias,
      },
      ...{ macs: rows * inWidth * outWidth, vectorElements: bias ? rows * outWidth : 0 },
    });
    return out;
  }

  private add(a: string, b: string, layer: number, name: string): string {
    const { builder, config, rows } = this;
    const id = `blk.${layer}.${name}`;
    const out = this.activation(id, config.hidden, layer);
    const base = { id, layer, inputs: [a, b], weights: [], outputs: [out] };
    builder.op({
      ...base,
      kind: 'add',
      rows,
      width: config.hidden,
      macs: 0,
      vectorElements: rows * config.hidden,
    });
    return out;
  }

  private activation(id: string, width: number, layer: number | null, rows = this.rows): string {
    return this.builder.tensor(id, 'activation', [rows, width], this.precision.activations, layer);
  }
}
