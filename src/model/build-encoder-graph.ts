import type { PassShape } from '../pass/shape.js';
import type { ModelConfig } from './config.js';
import { EncoderOps } from './encoder-ops.js';
import type { MatMulRole, OpGraph, Precision } from './graph.js';
import type { EncoderShape } from './model-shape.js';
import type { LayerWeight } from './weight-ids.js';

/**
 * The operators of one forward pass of an encoder as ALBERT's authors define it (arXiv:1909.11942, and `AlbertForMaskedLM`
 * of the transformers library): x = norm(x + attention(x)), x = norm(x + feedForward(x)).
 */
export function buildEncoderGraph(
  config: ModelConfig,
  encoder: EncoderShape,
  shape: PassShape,
  precision: Precision,
): OpGraph {
  const ops = new EncoderOps(config, encoder, shape, precision);
  const { hidden, heads, kvHeads, headDim, ffn } = config;
  let x = ops.embedding();
  for (let layer = 0; layer < config.layers; layer++) {
    const product = (
      weight: LayerWeight,
      role: MatMulRole,
      from: string,
      inWidth: number,
      outWidth: number,
      dtype = precision.activations,
    ) => ops.matmul(layer, weight, { role, x: from, inWidth, outWidth, bias: true, dtype });
    const kvWidth = kvHeads * headDim;
    const k = product('attn_k', 'k', x, hidden, kvWidth, precision.kv);
    const v = product('attn_v', 'v', x, hidden, kvWidth, precision.kv);
    ops.keepKv(k, v);
    if (shape.logitsRows === 0 && layer === config.layers - 1) return ops.finish();
    const q = product('attn_q', 'q', x, hidden, heads * headDim);
    const mixed = ops.attention(layer, q, k, v);
    const attended = product('attn_output', 'o', mixed, heads * headDim, hidden);
    const between = ops.normAfter(layer, 'attn_output_norm', ops.add(layer, 'attn_residual', x, attended));
    const inner = ops.activation(layer, product('ffn_up', 'up', between, hidden, ffn));
    const fed = product('ffn_down', 'down', inner, ffn, hidden);
    x = ops.normAfter(layer, 'layer_output_norm', ops.add(layer, 'ffn_residual', between, fed));
  }
  ops.keepLogits(ops.tiedHead(x));
  return ops.finish();
}
