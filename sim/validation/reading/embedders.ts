import type { PublishedRow } from '../published.js';
import { bareModel, type LayerSizes } from './bare-model.js';
import { type ModelReading, modelOf, sizeOf } from './models.js';

/** An encoder of BERT's kind: two matrices of four times its width are as many weights as three of 8/3. */
function bert(layers: number, hidden: number): LayerSizes {
  const heads = hidden / 64;
  return { layers, hidden, ffn: Math.round(hidden / 12) * 32, heads, kvHeads: heads, headDim: 64 };
}

/** Encoders by name: layers and widths of their configurations on Hugging Face. */
const KNOWN: readonly (readonly [RegExp, LayerSizes])[] = [
  [/embedding-?gemma/i, { layers: 24, hidden: 768, ffn: 1152, heads: 3, kvHeads: 1, headDim: 256 }],
  [/minilm-l6|paraphrase-minilm-l6/i, bert(6, 384)],
  [/minilm-l12|(bge|gte|e5)-small|arctic-embed-s/i, bert(12, 384)],
  [/arctic-embed-xs/i, bert(6, 384)],
  [/bge-m3|(bge|gte|e5|mxbai-embed)-large|arctic-embed-l|bert-large|xlm-roberta-large/i, bert(24, 1024)],
  [/nomic-embed|mpnet|(bge|gte|e5)-base|arctic-embed-m|jina.*base|bert-base|roberta-base/i, bert(12, 768)],
];

/** By size in billions of parameters with a vocabulary of 30,000, where the name is not known. */
const BY_SIZE: readonly (readonly [number, LayerSizes])[] = [
  [0.023, bert(6, 384)],
  [0.033, bert(12, 384)],
  [0.11, bert(12, 768)],
  [0.335, bert(24, 1024)],
];

/** Above it an embedder is a language model without its head (Qwen3-Embedding, NV-Embed). */
const LARGEST_ENCODER = 0.45;

/**
 * Shapes of a model that makes a vector of a text: an encoder's layers, or a language model's, without a head.
 * @throws NotModelled for a model of unknown size
 */
export function encoderOf(row: PublishedRow): ModelReading {
  const known = KNOWN.find(([pattern]) => pattern.test(row.model.replace(/[\s_]+/g, '-')));
  if (known !== undefined) return reading(row, known[1], false);
  const size = sizeOf(row)?.total;
  if (size === undefined || size > LARGEST_ENCODER) {
    const found = modelOf({ ...row, model: row.model.replace(/[-_ ]?(embedding|embed|reranker)s?/i, '') });
    return { ...found, shapes: { ...found.shapes, vocab: 32, tiedHead: true } };
  }
  const distance = (billions: number): number => Math.abs(Math.log(billions / size));
  const [, nearest] = BY_SIZE.reduce((best, each) => (distance(each[0]) < distance(best[0]) ? each : best));
  return reading(row, nearest, true);
}

function reading({ model }: PublishedRow, sizes: LayerSizes, substitute: boolean): ModelReading {
  const { layers, hidden } = sizes;
  const like = substitute ? ', of the kind of encoder of its size' : '';
  return {
    shapes: bareModel(`encoder-${layers}x${hidden}`, sizes),
    substitute,
    note: `"${model}" taken as ${layers} layers of ${hidden} channels without a head${like}`,
  };
}
