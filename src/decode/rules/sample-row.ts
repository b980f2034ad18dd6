import { CONFIDENCES, type ConfidenceName } from './confidence/registry.js';
import type { NumberType } from './number-type.js';
import { rounded } from './number-type.js';
import { uniformAt } from './random.js';
import type { RowDraw, SamplingRule } from './rule.js';
import { CONFIDENCE_STREAM } from './sampling/draw-token.js';
import { type Score, scoreRow } from './score-row.js';
import type { EndOfTextSpec } from './settings/end-of-text.js';

/** How a policy turns a row of logits into a token and a confidence. */
export interface Scoring {
  readonly confidence: ConfidenceName;
  readonly confidenceType: NumberType;
  readonly sampling: SamplingRule;
  readonly endOfText: EndOfTextSpec;
  /** Rows have counters: anything but the best token under a computed confidence. */
  readonly random: boolean;
  /** Steps over which the policy asks how far a row's distribution moved; null when it does not ask. */
  readonly drift: number | null;
  /** Whether the policy asks how far the best two logits of a row are apart. */
  readonly gap: boolean;
  /** Whether it may ask a row for another token than its best. */
  readonly instead: boolean;
}

export interface Vocabulary {
  readonly vocab: number;
  readonly maskId: number;
  /** Tokens that end a text: a set, empty where a model names none. */
  readonly endIds: readonly number[];
}

/**
 * Token and confidence of one row. Rows without counters (refreshes) are scored greedily.
 * @param logits row-major [rows, vocab]
 * @throws DataError when the row holds NaN or no finite logit outside the mask
 */
export function sampleRow(
  logits: Float32Array,
  row: number,
  vocabulary: Vocabulary,
  scoring: Scoring,
  at: RowDraw | null,
): Score {
  const { vocab, maskId, endIds } = vocabulary;
  const { sampling, endOfText, confidence, confidenceType, random } = scoring;
  const isPlain = endOfText.logit === 'keep' && endOfText.confidence === 'keep';
  if (isPlain && (at === null || !random))
    return scoreRow(logits, row, vocab, maskId, confidence, confidenceType);

  const own = logits.slice(row * vocab, (row + 1) * vocab);
  if (endOfText.logit === 'never') for (const id of endIds) own[id] = Number.NEGATIVE_INFINITY;
  const drawn = at === null ? null : sampling.pick(own, maskId, at);
  const token = drawn?.token ?? scoreRow(own, 0, vocab, maskId).token;
  if (at !== null && CONFIDENCES[confidence].facts(confidence).random) {
    return { token, confidence: uniformAt(sampling.seed, at.draw, at.position, CONFIDENCE_STREAM) };
  }
  const judged = drawn?.judged ?? own;
  for (const id of withoutConfidence(endOfText, endIds, sampling.temperature > 0)) {
    if (token === id) return { token, confidence: 0 };
    judged[id] = Number.NEGATIVE_INFINITY;
  }
  return {
    token,
    confidence: CONFIDENCES[confidence].ofToken
      ? probability(judged, token, confidenceType)
      : scoreRow(judged, 0, vocab, maskId, confidence, confidenceType).confidence,
  };
}

/** Tokens that are committed last. Upstream's chained assignment reaches end-of-text only at temperature 0. */
function withoutConfidence(
  { confidence, turnId }: EndOfTextSpec,
  endIds: readonly number[],
  sampled: boolean,
): readonly number[] {
  if (confidence === 'keep') return [];
  const turn = turnId === null ? [] : [turnId];
  return confidence === 'upstream' && sampled ? turn : [...endIds, ...turn];
}

/** Probability of a token that need not be the best one. */
function probability(logits: Float32Array, token: number, type: NumberType): number {
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of logits) if (value > maximum) maximum = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - maximum);
  return rounded(Math.exp(logits[token] - maximum) / sum, type);
}
