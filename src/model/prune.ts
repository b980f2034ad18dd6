import { UsageError } from '../errors.js';
import type { ModelConfig } from './config.js';
import { bytesOf } from './dtype.js';
import { type LayerWeight, layerWeightId, weightShapes } from './weight-ids.js';
import type { WeightSource } from './weights.js';

/** What is taken out of a model without training it again. */
export type Pruning =
  /** Of every four weights of a row, the two smaller ones become zero. */
  | { readonly kind: '2:4' }
  /** This share of the feed-forward's inner rows goes, in every layer. */
  | { readonly kind: 'ffn'; readonly share: number };

/** How prunings are written. */
export const PRUNING_FORMS = '2:4, ffn:SHARE (ffn:0.25)';

/** @throws UsageError for what is not one of the forms */
export function parsePruning(text: string): Pruning {
  if (text === '2:4') return { kind: '2:4' };
  const share = text.startsWith('ffn:') ? Number(text.slice('ffn:'.length)) : Number.NaN;
  if (!(share > 0 && share < 1)) {
    throw new UsageError(`pruning "${text}": possible are ${PRUNING_FORMS}, a share above 0 and below 1`);
  }
  return { kind: 'ffn', share };
}

/** Matrices of a layer that two of four are taken from; embedding and head stay dense. */
const MATRICES: readonly LayerWeight[] = [
  'attn_q',
  'attn_k',
  'attn_v',
  'attn_output',
  'ffn_gate',
  'ffn_up',
  'ffn_down',
];

/**
 * A model with less in it, by magnitude alone and with no training after it: the plainest pruning, whose loss is the most that
 * pruning costs. Changed matrices are f32, whatever they were stored as.
 *
 * - `2:4`: the pattern that sparse tensor cores have (arXiv:2104.08378): the two smaller of four neighbours of a row are zero.
 * - `ffn`: inner rows with the smallest product of the norms of their gate, up and down weights go, as many in each layer.
 *
 * @throws UsageError for models with experts or without a gated feed-forward, and shares that leave no row or all
 */
export function pruned(
  config: ModelConfig,
  weights: WeightSource,
  pruning: Pruning,
): { readonly config: ModelConfig; readonly weights: WeightSource } {
  if (config.moe !== undefined || config.encoder !== undefined || config.timed !== undefined) {
    throw new UsageError(`${config.name}: only models with one gated feed-forward a layer are pruned`);
  }
  if (pruning.kind === '2:4') {
    const ids = layerIds(config, MATRICES);
    const shapes = weightShapes(config);
    const odd = ids.find((id) => (shapes.get(id)?.at(-1) ?? 0) % 4 !== 0);
    if (odd !== undefined) throw new UsageError(`2:4: rows of ${odd} are not whole fours`);
    return {
      config,
      weights: changed(config, weights, ids, async (id) => twoOfFour(await weights.read(id))),
    };
  }
  const ffn = Math.round(config.ffn * (1 - pruning.share));
  if (ffn < 1 || ffn === config.ffn) {
    throw new UsageError(`a share of ${pruning.share} leaves ${ffn} of ${config.ffn} feed-forward rows`);
  }
  const kept = new Map<number, Promise<readonly number[]>>();
  const keptOf = (layer: number): Promise<readonly number[]> => {
    const known = kept.get(layer) ?? keptRows(config, weights, layer, ffn);
    kept.set(layer, known);
    return known;
  };
  const smaller = { ...config, ffn };
  const matrices = layerIds(config, ['ffn_gate', 'ffn_up', 'ffn_down']);
  const biases = config.ffnBias ? layerIds(config, ['ffn_gate', 'ffn_up'], 'bias') : [];
  return {
    config: smaller,
    weights: changed(smaller, weights, [...matrices, ...biases], async (id) => {
      const rows = await keptOf(Number(id.split('.')[1]));
      const values = await weights.read(id);
      if (id.includes('ffn_down')) return columnsOf(values, config.ffn, rows);
      return rowsOf(values, values.length / config.ffn, rows);
    }),
  };
}

function layerIds(
  { layers }: ModelConfig,
  names: readonly LayerWeight[],
  part: 'weight' | 'bias' = 'weight',
): string[] {
  return Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) =>
    names.map((name) => layerWeightId(layer, name, part)),
  );
}

/** A source in which some weights are others, in f32 and in the shapes of a configuration. */
function changed(
  config: ModelConfig,
  weights: WeightSource,
  ids: readonly string[],
  read: (id: string) => Promise<Float32Array>,
): WeightSource {
  const shapes = weightShapes(config);
  const own = new Set(ids);
  return {
    label: weights.label,
    names: () => weights.names(),
    info: (id) => {
      const shape = shapes.get(id);
      if (shape === undefined || !own.has(id)) return weights.info(id);
      return { shape, dtype: 'f32', bytes: bytesOf(shape, 'f32') };
    },
    read: (id) => (own.has(id) ? read(id) : weights.read(id)),
    readRaw: async (id) => {
      if (!own.has(id)) return weights.readRaw(id);
      const { buffer, byteOffset, byteLength } = await read(id);
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
    close: () => weights.close(),
  };
}

/** Of equal ones the first stay. @param values rows of whole fours */
function twoOfFour(values: Float32Array): Float32Array {
  const out = new Float32Array(values.length);
  for (let from = 0; from < values.length; from += 4) {
    const four = [0, 1, 2, 3].map((at) => from + at);
    four.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b);
    for (const at of four.slice(0, 2)) out[at] = values[at];
  }
  return out;
}

/** Inner rows that stay, in order: those with the largest product of norms, of equal ones the first. */
async function keptRows(
  { ffn, hidden }: ModelConfig,
  weights: WeightSource,
  layer: number,
  count: number,
): Promise<readonly number[]> {
  const read = (name: LayerWeight) => weights.read(layerWeightId(layer, name));
  const [gate, up, down] = [await read('ffn_gate'), await read('ffn_up'), await read('ffn_down')];
  const all = Array.from({ length: ffn }, (_, row) => row);
  const score = all.map((row) => {
    let [g, u, d] = [0, 0, 0];
    for (let at = 0; at < hidden; at++) {
      g += gate[row * hidden + at] ** 2;
      u += up[row * hidden + at] ** 2;
      d += down[at * ffn + row] ** 2;
    }
    return g * u * d;
  });
  const best = all.sort((a, b) => score[b] - score[a] || a - b).slice(0, count);
  return best.sort((a, b) => a - b);
}

function rowsOf(values: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, at) => {
    out.set(values.subarray(row * width, (row + 1) * width), at * width);
  });
  return out;
}

function columnsOf(values: Float32Array, width: number, columns: readonly number[]): Float32Array {
  const out = new Float32Array((values.length / width) * columns.length);
  for (let row = 0; row * width < values.length; row++) {
    columns.forEach((column, at) => {
      out[row * columns.length + at] = values[row * width + column];
    });
  }
  return out;
}
