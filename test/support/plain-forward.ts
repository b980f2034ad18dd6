import type { ModelConfig } from '../../src/model/config.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import type { WeightSource } from '../../src/model/weights.js';

/**
 * The transformer written a second time as loops over f64 numbers, without graph, tensors or caches: what the
 * engines are held against. `sees(i, j)` says whether row i attends to row j.
 */
export async function plainForward(
  config: ModelConfig,
  source: WeightSource,
  rows: readonly { readonly position: number; readonly feed: number }[],
  sees: (i: number, j: number) => boolean = () => true,
): Promise<{ logits: number[][]; k: number[][][]; v: number[][][] }> {
  const weights = new Map<string, Float32Array>();
  for (const id of weightShapes(config).keys()) weights.set(id, await source.read(id));
  const w = (id: string): Float32Array => {
    const found = weights.get(id);
    if (found === undefined) throw new Error(`no ${id}`);
    return found;
  };
  const { hidden, heads, kvHeads, headDim, moe } = config;
  const embedding = w('token_embd.weight');
  let x = rows.map(({ feed }) => Array.from(embedding.subarray(feed * hidden, (feed + 1) * hidden)));
  const keptK: number[][][] = [];
  const keptV: number[][][] = [];

  for (let layer = 0; layer < config.layers; layer++) {
    const id = (name: string) => `blk.${layer}.${name}`;
    const project = (row: number[], name: string, bias: boolean) => {
      const y = multiply(row, w(id(`${name}.weight`)));
      return bias ? y.map((value, i) => value + w(id(`${name}.bias`))[i]) : y;
    };
    const turned = (row: number[], position: number, name: string, normName: string) => {
      const y = project(row, name, config.qkvBias);
      const out: number[] = [];
      for (let start = 0; start < y.length; start += headDim) {
        let head = y.slice(start, start + headDim);
        if (config.qkNorm) head = normalise(head, w(id(`${normName}.weight`)), config.rmsEps);
        out.push(...rotateHead(head, position, config));
      }
      return out;
    };
    const normed = x.map((row) => normalise(row, w(id('attn_norm.weight')), config.rmsEps));
    const q = normed.map((row, i) => turned(row, rows[i].position, 'attn_q', 'attn_q_norm'));
    const k = normed.map((row, i) => turned(row, rows[i].position, 'attn_k', 'attn_k_norm'));
    const v = normed.map((row) => project(row, 'attn_v', config.qkvBias));
    keptK.push(k);
    keptV.push(v);
    x = x.map((row, i) => {
      const mixed: number[] = [];
      for (let head = 0; head < heads; head++) {
        const kvHead = Math.floor(head / (heads / kvHeads));
        const at = (all: number[][], j: number, h: number) => all[j].slice(h * headDim, (h + 1) * headDim);
        const visible = rows.map((_, j) => j).filter((j) => sees(i, j));
        const scores = visible.map((j) => dot(at(q, i, head), at(k, j, kvHead)) / Math.sqrt(headDim));
        const shares = softmax(scores);
        for (let d = 0; d < headDim; d++) {
          mixed.push(visible.reduce((sum, j, n) => sum + shares[n] * at(v, j, kvHead)[d], 0));
        }
      }
      return plus(row, project(mixed, 'attn_output', config.outputBias === true));
    });
    x = x.map((row) => {
      const n = normalise(row, w(id('ffn_norm.weight')), config.rmsEps);
      const part = (name: string, expert: number, out: number, width: number) =>
        w(id(`${name}.weight`)).subarray(expert * out * width, (expert + 1) * out * width);
      const biased = (y: number[], name: string) =>
        config.ffnBias === true ? plus(y, [...w(id(`${name}.bias`))]) : y;
      const expertOutput = (suffix: string, expert: number, ffn: number) => {
        const gate = biased(multiply(n, part(`ffn_gate${suffix}`, expert, ffn, hidden)), 'ffn_gate');
        const up = biased(multiply(n, part(`ffn_up${suffix}`, expert, ffn, hidden)), 'ffn_up');
        const inner = gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]);
        return biased(multiply(inner, part(`ffn_down${suffix}`, expert, hidden, ffn)), 'ffn_down');
      };
      if (moe === undefined) return plus(row, expertOutput('', 0, config.ffn));
      const probabilities = softmax(multiply(n, w(id('ffn_gate_inp.weight'))));
      const best = probabilities
        .map((_, i) => i)
        .sort((a, b) => probabilities[b] - probabilities[a])
        .slice(0, moe.expertsPerToken);
      const total = moe.renormalise ? best.reduce((sum, e) => sum + probabilities[e], 0) : 1;
      return best.reduce(
        (sum, e) =>
          plus(
            sum,
            expertOutput('_exps', e, moe.expertFfn).map((y) => (y * probabilities[e]) / total),
          ),
        row,
      );
    });
  }
  const head = w(config.tiedHead ? 'token_embd.weight' : 'output.weight');
  const logits = x.map((row) => multiply(normalise(row, w('output_norm.weight'), config.rmsEps), head));
  return { logits, k: keptK, v: keptV };
}

/** W [out, in] times x. */
function multiply(x: readonly number[], matrix: Float32Array): number[] {
  const out: number[] = [];
  for (let start = 0; start < matrix.length; start += x.length) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i] * matrix[start + i];
    out.push(sum);
  }
  return out;
}

function normalise(x: readonly number[], gain: Float32Array, eps: number): number[] {
  const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, i) => (value / Math.sqrt(meanSquare + eps)) * gain[i]);
}

/** Complex form of the rotation: (x[i], x[i + half]) times m e^(i * position * frequency) of the first `dims` channels. */
function rotateHead(head: readonly number[], position: number, config: ModelConfig): number[] {
  const half = (config.ropeDims ?? head.length) / 2;
  const magnitude = config.ropeScaling?.kind === 'yarn' ? config.ropeScaling.attentionFactor : 1;
  const out = [...head];
  for (let i = 0; i < half; i++) {
    const angle = position * frequencyOf(i, 2 * half, config);
    const [re, im] = [head[i], head[i + half]];
    out[i] = magnitude * (re * Math.cos(angle) - im * Math.sin(angle));
    out[i + half] = magnitude * (re * Math.sin(angle) + im * Math.cos(angle));
  }
  return out;
}

/** As transformers' modeling_rope_utils.py writes it: by wavelengths, and by extrapolated and interpolated parts. */
function frequencyOf(pair: number, dims: number, { ropeTheta, ropeScaling: scaling }: ModelConfig): number {
  const plain = 1 / ropeTheta ** ((2 * pair) / dims);
  if (scaling === undefined) return plain;
  if (scaling.kind === 'factors') return plain / scaling.factors[pair];
  if (scaling.kind === 'linear') return plain / scaling.factor;
  const interpolated = plain / scaling.factor;
  if (scaling.kind === 'llama3') {
    const wavelength = (2 * Math.PI) / plain;
    const { originalContext, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
    if (wavelength < originalContext / high) return plain;
    if (wavelength > originalContext / low) return interpolated;
    const smooth = (originalContext / wavelength - low) / (high - low);
    return (1 - smooth) * interpolated + smooth * plain;
  }
  const dimOf = (rotations: number) =>
    (dims * Math.log(scaling.originalContext / (rotations * 2 * Math.PI))) / (2 * Math.log(ropeTheta));
  const low = Math.max(Math.floor(dimOf(scaling.betaFast)), 0);
  const high = Math.min(Math.ceil(dimOf(scaling.betaSlow)), dims - 1);
  const ramp = Math.min(1, Math.max(0, (pair - low) / (high === low ? 0.001 : high - low)));
  return interpolated * ramp + plain * (1 - ramp);
}

function softmax(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);
const plus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + b[i]);
