import type { PassShape } from '../pass/shape.js';
import type { ModelConfig } from './config.js';
import type { OpGraph, Precision } from './graph.js';
import type { LayerShape, TimedLayers } from './model-shape.js';
import { PassOps } from './pass-ops.js';
import { embeddingId, headId, type LayerWeight } from './weight-ids.js';

/** Bytes of an element of a recurrent state, which is kept in f32. */
const STATE_BYTES = 4;

/**
 * The operators of one pass of a model whose layers differ: short convolutions (LFM2), gated delta rules (Qwen3.5),
 * K and V shared between layers and per-layer embeddings (Gemma 4), self-conditioning and layers without V (DiffusionGemma). Sizes and work are those of the published models;
 * the arithmetic is not described, so the graph can be timed and not executed. Norms and gates of a few elements per
 * row that are part of a neighbouring kernel everywhere are left out.
 */
export function buildTimedGraph(
  config: ModelConfig,
  timed: TimedLayers,
  shape: PassShape,
  precision: Precision,
): OpGraph {
  const ops = new PassOps(config, shape, precision);
  let x = ops.embed(embeddingId());
  if (timed.selfConditioning !== undefined && shape.logitsRows > 0)
    x = selfConditioned(ops, config, timed.selfConditioning, x);
  const kept: { k: string; v: string }[] = [];
  timed.shapes.forEach((layer, at) => {
    const { headDim = config.headDim, kvHeads = config.kvHeads, ffn = config.ffn } = layer;
    const sizes = { headDim, kvHeads, ffn };
    const layerOps = ops.withSizes(sizes);
    const normed = ops.norm(at, 'attn_norm', x);
    const mixed = isRecurrent(layer)
      ? recurrent(layerOps, config, timed, layer, at, normed)
      : attention(layerOps, { ...config, ...sizes }, timed, layer, at, normed, kept);
    x = ops.add(at, 'attn_residual', x, mixed);
    x = feedForward(layerOps, { ...config, ...sizes }, layer, at, x);
    if (timed.layerInput !== undefined) x = layerInput(ops, config, timed.layerInput, at, x);
  });
  if (shape.logitsRows > 0) {
    const headFormat = config.tiedHead ? precision.embedding : precision.head;
    ops.keepLogits(ops.head(x, headId(config), headFormat));
  }
  return ops.finish();
}

function isRecurrent(layer: LayerShape): layer is LayerShape & { mixer: 'short-conv' | 'gated-delta' } {
  return layer.mixer === 'short-conv' || layer.mixer === 'gated-delta';
}

/** @param kept K and V of the layers so far; a layer that shares them reads the last ones of its head size */
function attention(
  ops: PassOps,
  config: ModelConfig,
  timed: TimedLayers,
  layer: LayerShape,
  at: number,
  x: string,
  kept: { k: string; v: string; headDim?: number }[],
): string {
  const { hidden, heads, kvHeads, headDim, qkvBias: bias, qkNorm } = config;
  const width = heads * headDim;
  const project = (role: 'q' | 'k' | 'v', outWidth: number): string =>
    ops.matmul(at, `attn_${role}`, { role, x, inWidth: hidden, outWidth, bias });
  const rotated = (role: 'q' | 'k', projected: string, count: number): string =>
    ops.rope(at, role, qkNorm ? ops.norm(at, `attn_${role}_norm`, projected, count) : projected, count);
  const q = rotated('q', project('q', width), heads);
  const gate = timed.gatedAttention
    ? ops.matmul(at, 'mixer_gates', { role: 'q', x, inWidth: hidden, outWidth: width })
    : null;
  let source = kept.findLast((candidate) => candidate.headDim === headDim);
  if (layer.mixer === 'attention' || source === undefined) {
    const k = rotated('k', project('k', kvHeads * headDim), kvHeads);
    const v = layer.keysAsValues === true ? k : project('v', kvHeads * headDim);
    ops.keepKv(k, v);
    source = { k, v, headDim };
    kept.push(source);
  }
  const mixed = ops.attention(at, q, source.k, source.v, layer.window);
  const gated = gate === null ? mixed : ops.gate(at, 'attn_gated', gate, mixed, width);
  return ops.matmul(at, 'attn_output', { role: 'o', x: gated, inWidth: width, outWidth: hidden });
}

/** in-projection, convolution and recurrence, out-projection. */
function recurrent(
  ops: PassOps,
  config: ModelConfig,
  timed: TimedLayers,
  { mixer }: LayerShape & { mixer: 'short-conv' | 'gated-delta' },
  at: number,
  x: string,
): string {
  const { hidden } = config;
  const { convTaps: taps = 0, delta } = timed;
  if (mixer === 'short-conv' || delta === undefined) {
    // B, C and x in one projection (LFM2).
    const inner = ops.matmul(at, 'mixer_in', { role: 'mixer-in', x, inWidth: hidden, outWidth: 3 * hidden });
    const mixed = ops.stateMix(at, [inner], {
      mixer: 'short-conv',
      width: hidden,
      channels: hidden,
      taps,
      macsPerRow: 2 * hidden,
      stateBytes: STATE_BYTES * hidden * (taps - 1),
    });
    return ops.matmul(at, 'mixer_out', { role: 'mixer-out', x: mixed, inWidth: hidden, outWidth: hidden });
  }
  const { keyHeads, valueHeads, keyDim, valueDim } = delta;
  const channels = 2 * keyHeads * keyDim + valueHeads * valueDim;
  const width = valueHeads * valueDim;
  const inner = ops.matmul(at, 'mixer_in', {
    role: 'mixer-in',
    x,
    inWidth: hidden,
    outWidth: channels + width,
  });
  const gates = ops.matmul(at, 'mixer_gates', {
    role: 'mixer-in',
    x,
    inWidth: hidden,
    outWidth: 2 * valueHeads,
  });
  const state = valueHeads * keyDim * valueDim;
  const mixed = ops.stateMix(at, [inner, gates], {
    // Decay, read, correct, write and query of each head's state for every row.
    mixer: 'gated-delta',
    width,
    channels,
    taps,
    macsPerRow: 4 * state,
    stateBytes: STATE_BYTES * (state + channels * (taps - 1)),
  });
  return ops.matmul(at, 'mixer_out', { role: 'mixer-out', x: mixed, inWidth: width, outWidth: hidden });
}

function feedForward(ops: PassOps, config: ModelConfig, layer: LayerShape, at: number, x: string): string {
  const { hidden, ffn, moe } = config;
  const normed = ops.norm(at, 'ffn_norm', x);
  if (moe !== undefined && layer.dense !== true) {
    const router = { role: 'router', x: normed, inWidth: hidden, outWidth: moe.experts } as const;
    const routed = ops.moe(at, normed, ops.matmul(at, 'ffn_gate_inp', router));
    if (moe.sharedFfn === undefined) return ops.add(at, 'ffn_residual', x, routed);
    const shared = gated(
      ops,
      at,
      normed,
      ['ffn_gate_shexp', 'ffn_up_shexp', 'ffn_down_shexp'],
      hidden,
      moe.sharedFfn,
    );
    return ops.add(at, 'ffn_residual', x, ops.add(at, 'ffn_mixed', routed, shared));
  }
  const gate = ops.matmul(at, 'ffn_gate', { role: 'gate', x: normed, inWidth: hidden, outWidth: ffn });
  const up = ops.matmul(at, 'ffn_up', { role: 'up', x: normed, inWidth: hidden, outWidth: ffn });
  const inner = ops.swiglu(at, gate, up);
  const down = ops.matmul(at, 'ffn_down', { role: 'down', x: inner, inWidth: ffn, outWidth: hidden });
  return ops.add(at, 'ffn_residual', x, down);
}

/** down(act(gate x) * up x) with the weights of these names. */
function gated(
  ops: PassOps,
  at: number,
  x: string,
  [gate, up, down]: readonly [LayerWeight, LayerWeight, LayerWeight],
  hidden: number,
  width: number,
): string {
  const wide = { x, inWidth: hidden, outWidth: width };
  const inner = ops.gate(
    at,
    `${gate}.act`,
    ops.matmul(at, gate, { role: 'gate', ...wide }),
    ops.matmul(at, up, { role: 'up', ...wide }),
    width,
  );
  return ops.matmul(at, down, { role: 'down', x: inner, inWidth: width, outWidth: hidden });
}

/** The embedding, with what the logits of the step before expect there (DiffusionGemma). */
function selfConditioned(ops: PassOps, { hidden }: ModelConfig, width: number, x: string): string {
  const expected = ops.expectedEmbedding(embeddingId());
  const signal = gated(ops, 0, expected, ['self_cond_gate', 'self_cond_up', 'self_cond_down'], hidden, width);
  return ops.add(0, 'self_conditioned', x, signal);
}

/** The layer's own embedding of the token, gated by the residual; its table is looked up on the host. */
function layerInput(ops: PassOps, config: ModelConfig, width: number, at: number, x: string): string {
  const { hidden } = config;
  const gate = ops.matmul(at, 'layer_gate', { role: 'layer-input', x, inWidth: hidden, outWidth: width });
  const back = ops.matmul(at, 'layer_proj', {
    role: 'layer-input',
    x: gate,
    inWidth: width,
    outWidth: hidden,
  });
  return ops.add(at, 'layer_residual', x, back);
}
