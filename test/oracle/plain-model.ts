import type { ModelConfig } from '../../src/model/config.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import type { WeightSource } from '../../src/model/weights.js';

/** A row that was computed once, in whatever pass: its position, and K and V in every layer. */
export interface PlainKey {
  readonly position: number;
  readonly feed: number;
  readonly k: readonly (readonly number[])[];
  readonly v: readonly (readonly number[])[];
}

export interface PlainRow {
  readonly position: number;
  readonly feed: number;
  /** Rows computed before that it sees. */
  readonly cached: readonly PlainKey[];
}

/** A model that computes rows from what each of them sees. */
export interface Forward {
  readonly config: ModelConfig;
  /** Rows see each other where `sees` says so, and what they have cached. */
  run(
    rows: readonly PlainRow[],
    sees: (row: PlainRow, other: PlainRow) => boolean,
    adapter?: boolean,
  ): { readonly keys: PlainKey[]; readonly logits: readonly (readonly number[])[] };
}

/**
 * A dense bidirectional or causal transformer as loops over f64 numbers: no graph, no tensors, no masks but the list
 * of what each row sees.
 */
export class PlainModel implements Forward {
  private readonly weights = new Map<string, Float32Array>();

  private constructor(readonly config: ModelConfig) {}

  static async of(config: ModelConfig, source: WeightSource): Promise<PlainModel> {
    const model = new PlainModel(config);
    for (const id of weightShapes(config).keys()) model.weights.set(id, await source.read(id));
    return model;
  }

  run(
    rows: readonly PlainRow[],
    sees: (row: PlainRow, other: PlainRow) => boolean,
    adapter = false,
  ): { readonly keys: PlainKey[]; readonly logits: number[][] } {
    const { layers, hidden, heads, kvHeads, headDim, rmsEps, tiedHead } = this.config;
    const embedding = this.w('token_embd.weight');
    let x = rows.map(({ feed }) => [...embedding.subarray(feed * hidden, (feed + 1) * hidden)]);
    const k: number[][][] = [];
    const v: number[][][] = [];
    for (let layer = 0; layer < layers; layer++) {
      const w = (name: string) => this.w(`blk.${layer}.${name}.weight`);
      const normed = x.map((row) => normalise(row, w('attn_norm'), rmsEps));
      const q = normed.map((row, i) => this.turned(times(w('attn_q'), row), rows[i].position));
      k.push(normed.map((row, i) => this.turned(times(w('attn_k'), row), rows[i].position)));
      v.push(normed.map((row) => times(w('attn_v'), row)));
      x = x.map((row, i) => {
        const own = rows.flatMap((other, j) => (sees(rows[i], other) ? [j] : []));
        const keys = [...rows[i].cached.map((key) => key.k[layer]), ...own.map((j) => k[layer][j])];
        const values = [...rows[i].cached.map((key) => key.v[layer]), ...own.map((j) => v[layer][j])];
        const mixed: number[] = [];
        for (let head = 0; head < heads; head++) {
          const from = Math.floor(head / (heads / kvHeads)) * headDim;
          const query = q[i].slice(head * headDim, (head + 1) * headDim);
          const shares = softmax(keys.map((key) => product(query, key, from) / Math.sqrt(headDim)));
          for (let d = 0; d < headDim; d++) {
            let sum = 0;
            for (let n = 0; n < shares.length; n++) sum += shares[n] * values[n][from + d];
            mixed.push(sum);
          }
        }
        const out = plus(row, times(w('attn_output'), mixed));
        if (!adapter || this.config.draftAdapter === undefined) return out;
        return plus(out, times(w('attn_output_lora_b'), times(w('attn_output_lora_a'), mixed)));
      });
      x = x.map((row) => {
        const n = normalise(row, w('ffn_norm'), rmsEps);
        const up = times(w('ffn_up'), n);
        const inner = times(w('ffn_gate'), n).map((g, i) => (g / (1 + Math.exp(-g))) * up[i]);
        return plus(row, times(w('ffn_down'), inner));
      });
    }
    const head = this.w(tiedHead ? 'token_embd.weight' : 'output.weight');
    const layersOf = (all: number[][][], i: number) => all.map((layer) => layer[i]);
    return {
      keys: rows.map(({ position, feed }, i) => ({ position, feed, k: layersOf(k, i), v: layersOf(v, i) })),
      logits: x.map((row) => times(head, normalise(row, this.w('output_norm.weight'), rmsEps))),
    };
  }

  private w(id: string): Float32Array {
    const found = this.weights.get(id);
    if (found === undefined) throw new Error(`no ${id}`);
    return found;
  }

  /** Rotary embedding of every head. */
  private turned(row: readonly number[], position: number): number[] {
    const { headDim, ropeTheta } = this.config;
    const half = headDim / 2;
    return row.map((value, i) => {
      const d = i % headDim;
      const angle = position * ropeTheta ** (-(d % half) / half);
      const partner = d < half ? -row[i + half] : row[i - half];
      return value * Math.cos(angle) + partner * Math.sin(angle);
    });
  }
}

/** W [out, in] times x. */
function times(matrix: Float32Array, x: readonly number[]): number[] {
  const product: number[] = [];
  for (let at = 0; at < matrix.length; at += x.length) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i] * matrix[at + i];
    product.push(sum);
  }
  return product;
}

/** Of a head's query with its part of a key. */
function product(query: readonly number[], key: readonly number[], from: number): number {
  let sum = 0;
  for (let d = 0; d < query.length; d++) sum += query[d] * key[from + d];
  return sum;
}

function normalise(x: readonly number[], gain: Float32Array, eps: number): number[] {
  const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, i) => (value / Math.sqrt(meanSquare + eps)) * gain[i]);
}

export function softmax(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

const plus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + b[i]);
