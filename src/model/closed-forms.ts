import type { PassShape } from '../pass/shape.js';
import type { ModelConfig } from './config.js';
import { blockOf } from './dtype.js';
import type { DType, Precision } from './graph.js';
import type { EncoderShape } from './model-shape.js';
import { SMALL_WEIGHT_DTYPE } from './precision.js';

/**
 * Sizes of a model from its configuration alone. Independent of the graph builder, so that each can check the
 * other; formulas count one layer and multiply.
 */
export interface ParameterCount {
  /** All matrices inside the layers. */
  readonly body: number;
  readonly embedding: number;
  /** 0 when the head is tied to the embedding. */
  readonly head: number;
  /** Gains, biases and expert routers. */
  readonly small: number;
  /** Of passes that draft; 0 without. */
  readonly adapter: number;
  readonly total: number;
}

export function parameterCount(config: ModelConfig): ParameterCount {
  const { layers, hidden, ffn, vocab, moe } = config;
  if (config.encoder !== undefined) return encoderParameters(config, config.encoder);
  const q = config.heads * config.headDim;
  const kv = config.kvHeads * config.headDim;
  const attention = hidden * (q + 2 * kv) + q * hidden;
  const dense = moe === undefined ? layers : (moe.denseLayers ?? 0);
  const ofExperts = moe === undefined ? 0 : 3 * hidden * (moe.experts * moe.expertFfn + (moe.sharedFfn ?? 0));
  const gains = 2 * hidden + (config.qkNorm ? 2 * config.headDim : 0);
  const biases =
    (config.qkvBias ? q + 2 * kv : 0) +
    (config.outputBias ? hidden : 0) +
    (config.ffnBias && moe === undefined ? 2 * ffn + hidden : 0);
  const router = moe === undefined ? 0 : moe.experts * (hidden + (moe.grouped === undefined ? 0 : 1));
  const body = layers * attention + dense * 3 * hidden * ffn + (layers - dense) * ofExperts;
  const small = layers * (gains + biases) + (layers - dense) * router + hidden;
  const embedding = vocab * hidden;
  const head = config.tiedHead ? 0 : vocab * hidden;
  const adapter = layers * (config.draftAdapter?.rank ?? 0) * (q + hidden);
  return { body, embedding, head, small, adapter, total: body + embedding + head + small + adapter };
}

/** One set of weights for all layers, and a head tied to an embedding narrower than the residual. */
function encoderParameters(
  { hidden, heads, headDim, ffn, vocab, contextLength }: ModelConfig,
  { embeddingWidth: narrow, tokenTypes }: EncoderShape,
): ParameterCount {
  const wide = heads * headDim;
  const body = 4 * wide * hidden + 2 * hidden * ffn + 2 * hidden * narrow;
  const tables = (contextLength + tokenTypes) * narrow;
  const layer = 3 * wide + ffn + 2 * hidden + 4 * hidden;
  const around = 2 * narrow + hidden + 3 * narrow + vocab;
  const small = tables + layer + around;
  const embedding = vocab * narrow;
  return { body, embedding, head: 0, small, adapter: 0, total: body + embedding + small };
}

export interface WeightBytes {
  readonly body: number;
  readonly embedding: number;
  readonly head: number;
  readonly small: number;
  readonly adapter: number;
  readonly total: number;
}

/** Storage of the weights in bytes. Exact when row lengths are multiples of the block, as `buildGraph` demands. */
export function weightBytes(config: ModelConfig, precision: Precision): WeightBytes {
  const count = parameterCount(config);
  const body = storedBytes(count.body, precision.weights);
  const embedding = storedBytes(count.embedding, precision.embedding);
  const head = storedBytes(count.head, precision.head);
  const small = storedBytes(count.small, SMALL_WEIGHT_DTYPE);
  const adapter = storedBytes(count.adapter, precision.activations);
  return { body, embedding, head, small, adapter, total: body + embedding + head + small + adapter };
}

/** Bytes of K and V of one position in all layers. */
export function kvBytesPerToken(config: ModelConfig, kv: Precision['kv']): number {
  return 2 * config.layers * config.kvHeads * config.headDim * blockOf(kv).bytes;
}

/**
 * Multiply-accumulates of a pass. A pass without logits stops at the last layer's K and V (see `buildGraph`).
 */
export function passMacs(config: ModelConfig, shape: PassShape): number {
  const { layers, hidden, ffn, vocab, moe, encoder } = config;
  const { rows, logitsRows } = shape;
  const q = config.heads * config.headDim;
  const kv = config.kvHeads * config.headDim;
  const keys = rows + shape.kvSets.reduce((sum, set) => sum + set.length, 0);
  const dense = (encoder === undefined ? 3 : 2) * hidden * ffn;
  const routed =
    moe === undefined
      ? 0
      : moe.experts * hidden + 3 * hidden * (moe.expertsPerToken * moe.expertFfn + (moe.sharedFfn ?? 0));
  const keyValue = rows * hidden * 2 * kv;
  const adapter = shape.adapter === true ? (config.draftAdapter?.rank ?? 0) * (q + hidden) : 0;
  const attention = rows * (hidden * q + q * hidden + adapter + 2 * keys * q);
  const fullLayers = logitsRows > 0 ? layers : layers - 1;
  const denseLayers = moe === undefined ? fullLayers : Math.min(moe.denseLayers ?? 0, fullLayers);
  const feedForward = rows * (denseLayers * dense + (fullLayers - denseLayers) * routed);
  const stack = layers * keyValue + fullLayers * attention + feedForward;
  if (encoder === undefined) return stack + logitsRows * hidden * vocab;
  const { embeddingWidth: narrow } = encoder;
  return stack + rows * hidden * narrow + logitsRows * narrow * (hidden + vocab);
}

function storedBytes(elements: number, dtype: DType): number {
  const block = blockOf(dtype);
  return (elements / block.elements) * block.bytes;
}
