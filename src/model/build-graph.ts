import { UsageError } from '../errors.js';
import type { PassShape } from '../pass/shape.js';
import { buildEncoderGraph } from './build-encoder-graph.js';
import { buildTimedGraph } from './build-timed-graph.js';
import type { ModelConfig } from './config.js';
import type { OpGraph, Precision } from './graph.js';
import { PassOps } from './pass-ops.js';
import { embeddingId, headId } from './weight-ids.js';

export { INPUT_IDS, kvInputId } from './pass-ops.js';

/**
 * The operators of one forward pass. Serves dense and routed feed-forward, grouped-query attention, biases,
 * QK-norm and a tied head; `config` says which.
 *
 * A pass without logits (prefill, seal) ends at the last layer's K and V: its attention, feed-forward and head
 * would produce values nobody reads, so they are not operators of the pass.
 *
 * @throws UsageError for an impossible shape (no rows, more logits rows than rows, repeated KV sets)
 */
export function buildGraph(config: ModelConfig, shape: PassShape, precision: Precision): OpGraph {
  checkShape(config, shape);
  if (config.timed !== undefined) return buildTimedGraph(config, config.timed, shape, precision);
  if (config.encoder !== undefined) return buildEncoderGraph(config, config.encoder, shape, precision);
  const ops = new PassOps(config, shape, precision);
  let x = ops.embed(embeddingId());
  for (let layer = 0; layer < config.layers; layer++) {
    const kvOnly = shape.logitsRows === 0 && layer === config.layers - 1;
    const attended = attentionBlock(ops, config, precision, layer, x, kvOnly);
    if (attended === null) return ops.finish();
    x = feedForwardBlock(ops, config, layer, attended);
  }
  // A tied head is the embedding table, in its format.
  const headFormat = config.tiedHead ? precision.embedding : precision.head;
  ops.keepLogits(ops.head(x, headId(config), headFormat));
  return ops.finish();
}

/** x + attention(norm(x)). With `kvOnly` it stops at K and V and returns null. */
function attentionBlock(
  ops: PassOps,
  config: ModelConfig,
  precision: Precision,
  layer: number,
  x: string,
  kvOnly: boolean,
): string | null {
  const { hidden, heads, kvHeads, headDim, qkvBias: bias } = config;
  const normed = ops.norm(layer, 'attn_norm', x);
  const projection = (role: 'q' | 'k' | 'v', width: number) => {
    const dtype = role === 'v' ? precision.kv : precision.activations;
    return ops.matmul(layer, `attn_${role}`, {
      role,
      x: normed,
      inWidth: hidden,
      outWidth: width,
      bias,
      dtype,
    });
  };
  const rotated = (role: 'q' | 'k', count: number) => {
    const projected = projection(role, count * headDim);
    const each = config.qkNorm ? ops.norm(layer, `attn_${role}_norm`, projected, count) : projected;
    return ops.rope(layer, role, each, count);
  };
  const q = kvOnly ? null : rotated('q', heads);
  const k = rotated('k', kvHeads);
  const v = projection('v', kvHeads * headDim);
  ops.keepKv(k, v);
  if (q === null) return null;
  const mixed = ops.attention(layer, q, k, v);
  const out = {
    role: 'o',
    x: mixed,
    inWidth: heads * headDim,
    outWidth: hidden,
    bias: config.outputBias,
  } as const;
  const projected = ops.matmul(layer, 'attn_output', out);
  return ops.add(layer, 'attn_residual', x, ops.adapted(layer, projected, mixed));
}

/** x + feedForward(norm(x)), dense SwiGLU or routed experts. */
function feedForwardBlock(ops: PassOps, config: ModelConfig, layer: number, x: string): string {
  const { hidden, ffn, moe, ffnBias: bias } = config;
  const normed = ops.norm(layer, 'ffn_norm', x);
  if (moe !== undefined && layer >= (moe.denseLayers ?? 0)) {
    const router = { role: 'router', x: normed, inWidth: hidden, outWidth: moe.experts } as const;
    const logits = ops.matmul(layer, 'ffn_gate_inp', router);
    const routed = ops.moe(layer, normed, logits);
    const { sharedFfn } = moe;
    const mixed =
      sharedFfn === undefined
        ? routed
        : ops.add(layer, 'ffn_mixed', routed, sharedExpert(ops, config, layer, normed, sharedFfn));
    return ops.add(layer, 'ffn_residual', x, mixed);
  }
  const gate = ops.matmul(layer, 'ffn_gate', {
    role: 'gate',
    x: normed,
    inWidth: hidden,
    outWidth: ffn,
    bias,
  });
  const up = ops.matmul(layer, 'ffn_up', { role: 'up', x: normed, inWidth: hidden, outWidth: ffn, bias });
  const inner = ops.swiglu(layer, gate, up);
  const down = ops.matmul(layer, 'ffn_down', {
    role: 'down',
    x: inner,
    inWidth: ffn,
    outWidth: hidden,
    bias,
  });
  return ops.add(layer, 'ffn_residual', x, down);
}

/** The expert that every row passes. */
function sharedExpert(ops: PassOps, { hidden }: ModelConfig, layer: number, x: string, ffn: number): string {
  const wide = { x, inWidth: hidden, outWidth: ffn };
  const gate = ops.matmul(layer, 'ffn_gate_shexp', { role: 'gate', ...wide });
  const up = ops.matmul(layer, 'ffn_up_shexp', { role: 'up', ...wide });
  const inner = ops.gate(layer, 'ffn_swiglu_shexp', gate, up, ffn);
  return ops.matmul(layer, 'ffn_down_shexp', { role: 'down', x: inner, inWidth: ffn, outWidth: hidden });
}

function checkShape(config: ModelConfig, { rows, logitsRows, kvSets }: PassShape): void {
  if (!Number.isInteger(rows) || rows < 1) throw new UsageError(`a pass needs at least one row, got ${rows}`);
  if (!Number.isInteger(logitsRows) || logitsRows < 0 || logitsRows > rows) {
    throw new UsageError(`logits rows must be between 0 and ${rows}, got ${logitsRows}`);
  }
  for (const { name, length } of kvSets) {
    if (!Number.isInteger(length) || length < 0) throw new UsageError(`KV set ${name} has length ${length}`);
  }
  if (new Set(kvSets.map((set) => set.name)).size !== kvSets.length) {
    throw new UsageError('KV set named twice');
  }
  if (config.heads % config.kvHeads !== 0) {
    throw new UsageError(
      `${config.name}: ${config.heads} heads are not a multiple of ${config.kvHeads} KV heads`,
    );
  }
}
