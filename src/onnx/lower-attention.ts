import type { AttentionOp } from '../model/graph.js';
import { inputOf, type Lowering } from './lowering.js';
import type { OnnxBuilder } from './onnx-builder.js';

/** Added to the score of a key a row must not see; exp() of it is exactly 0. */
const HIDDEN_SCORE = 1e30;

/**
 * softmax(q k^T / sqrt(headDim)) v in plain ONNX operators. Query heads that share a KV head are stacked into one
 * product per KV head; cached sets come before the rows' own keys. The lengths of sets and rows stay open.
 */
export function lowerAttention(op: AttentionOp, { onnx, hiddenScore = HIDDEN_SCORE }: Lowering): void {
  const { heads, kvHeads, headDim } = op;
  const group = heads / kvHeads;
  const name = (part: string) => `${op.id}.${part}`;
  const joined = (part: 'k' | 'v', own: number) => {
    const cached = op.kvSets.map((_, set) => inputOf(op, 3 + 2 * set + (part === 'k' ? 0 : 1)));
    if (cached.length === 0) return inputOf(op, own);
    return onnx.node('Concat', name(`${part}_all`), [...cached, inputOf(op, own)], { axis: 0 });
  };

  const scaled = onnx.node('Mul', name('q_scaled'), [inputOf(op, 0), onnx.float(1 / Math.sqrt(headDim))]);
  const q4 = reshape(onnx, name('q_heads'), scaled, [-1, kvHeads, group, headDim]);
  const qTurned = onnx.node('Transpose', name('q_turned'), [q4], { perm: [1, 2, 0, 3] });
  const q = reshape(onnx, name('q'), qTurned, [kvHeads, -1, headDim]);
  const k3 = reshape(onnx, name('k_heads'), joined('k', 1), [-1, kvHeads, headDim]);
  const k = onnx.node('Transpose', name('k'), [k3], { perm: [1, 2, 0] });
  const v3 = reshape(onnx, name('v_heads'), joined('v', 2), [-1, kvHeads, headDim]);
  const v = onnx.node('Transpose', name('v'), [v3], { perm: [1, 0, 2] });

  const scores = onnx.node('MatMul', name('scores'), [q, k]);
  // 0 keeps the number of keys, -1 finds the number of rows.
  const byHead = reshape(onnx, name('scores_heads'), scores, [heads, -1, 0]);
  const masked = op.masked
    ? onnx.node('Add', name('scores_seen'), [
        byHead,
        visibilityBias(onnx, inputOf(op, op.inputs.length - 1), hiddenScore),
      ])
    : byHead;
  const softmax = onnx.node('Softmax', name('weights'), [masked], { axis: -1 });
  const stacked = reshape(onnx, name('weights_stacked'), softmax, [kvHeads, -1, 0]);
  const mixed = onnx.node('MatMul', name('mixed'), [stacked, v]);
  const mixedHeads = reshape(onnx, name('mixed_heads'), mixed, [heads, -1, headDim]);
  const turned = onnx.node('Transpose', name('mixed_turned'), [mixedHeads], { perm: [1, 0, 2] });
  reshape(onnx, op.id, turned, [-1, heads * headDim]);
}

/** Visibility of ones and zeros as an additive score, computed once for all layers. */
function visibilityBias(onnx: OnnxBuilder, visibility: string, hiddenScore: number): string {
  const bias = `${visibility}.bias`;
  if (onnx.hasNode(bias)) return bias;
  const hidden = onnx.node('Sub', `${visibility}.hidden`, [visibility, onnx.float(1)]);
  return onnx.node('Mul', bias, [hidden, onnx.float(hiddenScore)]);
}

function reshape(onnx: OnnxBuilder, name: string, x: string, shape: readonly number[]): string {
  return onnx.node('Reshape', name, [x, onnx.ints(shape)]);
}
