import { hashNumbers } from '../../util/hash-numbers.js';
import type { EndOfTextSpec, SamplingSpec } from '../spec.js';
import { type ConfidenceRule, type NumberType, rounded, type Score, scoreRow } from './confidence.js';

/** How a policy turns a row of logits into a token and a confidence. */
export interface ScoringSpec {
  readonly confidence: ConfidenceRule;
  readonly sampling: SamplingSpec;
  readonly endOfText: EndOfTextSpec;
  /** Default f64. */
  readonly confidenceType?: NumberType;
}

export interface Vocabulary {
  readonly vocab: number;
  readonly maskId: number;
  readonly eosId: number;
}

/** What tells the random numbers of a row apart from all others. */
export interface RowDraw {
  readonly position: number;
  /** Masks left in the canvas: falls with every step that commits, and does not depend on how steps are run. */
  readonly draw: number;
}

/** Streams of random numbers that must not meet. */
const TOKEN_STREAM = 1;
const CONFIDENCE_STREAM = 2;

/** Uniform in (0, 1), a function of its counters alone. */
export function uniformAt(...counters: readonly number[]): number {
  return (hashNumbers(...counters) + 0.5) / 4294967296;
}

/** Standard Gumbel noise: argmax(l + T g) samples softmax(l / T). */
function gumbelAt(...counters: readonly number[]): number {
  return -Math.log(-Math.log(uniformAt(...counters)));
}

/** Whether rows need counters: anything but the best token under a computed confidence. */
export function isRandom({ confidence, sampling }: Pick<ScoringSpec, 'confidence' | 'sampling'>): boolean {
  return sampling.kind !== 'greedy' || confidence === 'random';
}

/**
 * Token and confidence of one row. Rows without counters (refreshes) are scored greedily.
 *
 * - `gumbel` is LLaDA's: the token maximises l - T ln(-ln u) in f64, the confidence is that of the plain softmax.
 * - `filtered` is Dream's and llama.cpp's: temperature, top-p and top-k, then a draw; the confidence is computed on
 *   what is left.
 *
 * @param logits row-major [rows, vocab]
 */
export function sampleRow(
  logits: Float32Array,
  row: number,
  vocabulary: Vocabulary,
  spec: ScoringSpec,
  at: RowDraw | null,
): Score {
  const { vocab, maskId, eosId } = vocabulary;
  const { sampling, endOfText, confidence } = spec;
  const isPlain = endOfText.logit === 'keep' && endOfText.confidence === 'keep';
  if (isPlain && (at === null || !isRandom(spec)))
    return scoreRow(logits, row, vocab, maskId, confidence, spec.confidenceType);

  const own = logits.slice(row * vocab, (row + 1) * vocab);
  if (endOfText.logit === 'never') own[eosId] = Number.NEGATIVE_INFINITY;
  const scored = at === null || sampling.kind === 'greedy' ? null : pick(own, vocabulary, sampling, at);
  const token = scored?.token ?? scoreRow(own, 0, vocab, maskId).token;
  if (confidence === 'random' && at !== null) {
    return { token, confidence: uniformAt(seedOf(sampling), at.draw, at.position, CONFIDENCE_STREAM) };
  }
  const judged = scored?.judged ?? own;
  const sampled = sampling.kind !== 'greedy' && sampling.temperature > 0;
  for (const id of withoutConfidence(endOfText, eosId, sampled)) {
    if (token === id) return { token, confidence: 0 };
    judged[id] = Number.NEGATIVE_INFINITY;
  }
  return { token, confidence: confidenceOf(judged, token, vocabulary, spec) };
}

/** Tokens that are committed last. Upstream's chained assignment reaches end-of-text only at temperature 0. */
function withoutConfidence({ confidence, turnId }: EndOfTextSpec, eosId: number, sampled: boolean): number[] {
  if (confidence === 'keep') return [];
  const turn = turnId === null ? [] : [turnId];
  return confidence === 'upstream' && sampled ? turn : [eosId, ...turn];
}

function seedOf(sampling: SamplingSpec): number {
  return sampling.kind === 'greedy' ? 0 : sampling.seed;
}

/** Draws a token; `judged` are the logits that its confidence is computed on. */
function pick(
  own: Float32Array,
  { vocab, maskId }: Vocabulary,
  sampling: Exclude<SamplingSpec, { kind: 'greedy' }>,
  { draw, position }: RowDraw,
): { token: number; judged: Float32Array } {
  const { temperature, seed } = sampling;
  const judged = sampling.kind === 'filtered' ? filtered(own, maskId, sampling) : own;
  const scale = sampling.kind === 'filtered' ? 1 : temperature;
  const greedy = temperature === 0 && !(sampling.kind === 'filtered' && sampling.order === 'llama.cpp');
  let token = -1;
  let best = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < vocab; id++) {
    if (id === maskId || judged[id] === Number.NEGATIVE_INFINITY) continue;
    // llama.cpp leaves the temperature out of its chain at 0 and still samples.
    const noise = greedy ? 0 : scale * gumbelAt(seed, draw, position, TOKEN_STREAM, id);
    const value = judged[id] + noise;
    if (value > best) {
      best = value;
      token = id;
    }
  }
  return { token, judged };
}

/** Logits after temperature, top-p and top-k; what is removed is -Infinity. */
function filtered(
  own: Float32Array,
  maskId: number,
  { temperature, topP, topK, order }: Extract<SamplingSpec, { kind: 'filtered' }>,
): Float32Array {
  const result = own.slice();
  const divide = (): void => {
    if (temperature > 0) for (let id = 0; id < result.length; id++) result[id] /= temperature;
  };
  const keepK = (): void => {
    if (topK !== null) keepFirst(result, maskId, topK);
  };
  const keepP = (): void => {
    if (topP !== null) keepFirst(result, maskId, nucleus(result, maskId, topP));
  };
  // Dream: T, top-p, top-k; llama.cpp: top-k, top-p, T.
  const chain = order === 'dream' ? [divide, keepP, keepK] : [keepK, keepP, divide];
  for (const stage of chain) stage();
  return result;
}

/** Ids by falling logit, lower ids first among equals; the mask is never among them. */
function ranked(values: Float32Array, maskId: number): number[] {
  const ids = Array.from({ length: values.length }, (_, id) => id).filter(
    (id) => id !== maskId && values[id] !== Number.NEGATIVE_INFINITY,
  );
  return ids.sort((a, b) => values[b] - values[a] || a - b);
}

function keepFirst(values: Float32Array, maskId: number, count: number): void {
  for (const id of ranked(values, maskId).slice(count)) values[id] = Number.NEGATIVE_INFINITY;
  values[maskId] = Number.NEGATIVE_INFINITY;
}

/** How many of the ranked tokens it takes to exceed `topP`, the one that crosses it included. */
function nucleus(values: Float32Array, maskId: number, topP: number): number {
  const order = ranked(values, maskId);
  const maximum = values[order[0]];
  const weights = order.map((id) => Math.exp(values[id] - maximum));
  const sum = weights.reduce((a, b) => a + b, 0);
  let cumulative = 0;
  const crossing = weights.findIndex((weight) => {
    cumulative += weight / sum;
    return cumulative > topP;
  });
  return crossing < 0 ? order.length : crossing + 1;
}

/** Confidence in a token that need not be the best one. */
function confidenceOf(
  logits: Float32Array,
  token: number,
  { vocab, maskId }: Vocabulary,
  { confidence: rule, confidenceType = 'f64' }: Pick<ScoringSpec, 'confidence' | 'confidenceType'>,
): number {
  if (rule !== 'max-softmax' && rule !== 'random')
    return scoreRow(logits, 0, vocab, maskId, rule, confidenceType).confidence;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of logits) if (value > maximum) maximum = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - maximum);
  return rounded(Math.exp(logits[token] - maximum) / sum, confidenceType);
}
