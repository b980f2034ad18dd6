import { DataError } from '../../errors.js';

/**
 * How sure a row is of its best token. All rules map to [0, 1], so thresholds mean the same scale everywhere.
 * - `max-softmax`: probability of the best token;
 * - `margin`: probability of the best minus the second best token;
 * - `neg-entropy`: 1 - H(p) / ln(vocab); orders rows as Dream's negative entropy does;
 * - `entropy`: H(p) / ln(vocab), the least sure row first, as llama.cpp's ENTROPY_BASED does;
 * - `random`: uniform, drawn per row (LLaDA's random remasking); here, without a draw, as max-softmax.
 */
export type ConfidenceRule = 'max-softmax' | 'margin' | 'neg-entropy' | 'entropy' | 'random';

/** Number format in which probabilities and confidences are kept. */
export type NumberType = 'f64' | 'f32' | 'bf16';

/** Rounds to nearest, ties to even. */
export function rounded(value: number, type: NumberType): number {
  if (type === 'f64') return value;
  const single = Math.fround(value);
  if (type === 'f32') return single;
  const bits = new Uint32Array(Float32Array.of(single).buffer);
  // bf16 is the upper half of an f32.
  bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0];
}

export interface Score {
  readonly token: number;
  readonly confidence: number;
}

/**
 * Best token and its confidence for one row of logits. The softmax runs over the whole vocabulary in f64 with the
 * maximum subtracted. Ties go to the lowest id.
 *
 * Deviation from LLaDA's `generate`: the mask token is never chosen (there it can be, and the position then stays
 * masked). Its probability still counts in the denominator. Confidence is f64, not the model's bf16.
 *
 * @param logits row-major [rows, vocab]
 * @throws DataError when the row holds NaN or no finite logit outside the mask
 */
export function scoreRow(
  logits: Float32Array,
  row: number,
  vocab: number,
  maskId: number,
  rule: ConfidenceRule = 'max-softmax',
  type: NumberType = 'f64',
): Score {
  const start = row * vocab;
  let best = -1;
  let bestLogit = Number.NEGATIVE_INFINITY;
  let secondLogit = Number.NEGATIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < vocab; id++) {
    const value = logits[start + id];
    if (Number.isNaN(value)) throw new DataError(`logits of row ${row} hold NaN at token ${id}`);
    if (value > maximum) maximum = value;
    if (id === maskId) continue;
    if (value > bestLogit) {
      secondLogit = bestLogit;
      bestLogit = value;
      best = id;
    } else if (value > secondLogit) {
      secondLogit = value;
    }
  }
  if (best < 0 || !Number.isFinite(maximum))
    throw new DataError(`logits of row ${row} have no finite maximum`);

  let sum = 0;
  for (let id = 0; id < vocab; id++) sum += Math.exp(logits[start + id] - maximum);
  const probability = (logit: number): number => rounded(Math.exp(logit - maximum) / sum, type);
  switch (rule) {
    case 'max-softmax':
    case 'random':
      return { token: best, confidence: probability(bestLogit) };
    case 'margin':
      return { token: best, confidence: rounded(probability(bestLogit) - probability(secondLogit), type) };
    case 'neg-entropy':
    case 'entropy': {
      if (vocab < 2) return { token: best, confidence: rule === 'entropy' ? 0 : 1 };
      if (type !== 'f64')
        return { token: best, confidence: roundedEntropy(logits, start, vocab, probability, rule, type) };
      let weighted = 0;
      for (let id = 0; id < vocab; id++) {
        const shifted = logits[start + id] - maximum;
        const weight = Math.exp(shifted);
        // 0 * -Infinity would be NaN.
        if (weight > 0) weighted += weight * shifted;
      }
      const entropy = Math.log(sum) - weighted / sum;
      const share = Math.min(1, Math.max(0, entropy / Math.log(vocab)));
      return { token: best, confidence: rule === 'entropy' ? share : 1 - share };
    }
  }
}

/** Entropy rules on rounded probabilities, with the published guard of 1e-10 inside the logarithm. */
function roundedEntropy(
  logits: Float32Array,
  start: number,
  vocab: number,
  probability: (logit: number) => number,
  rule: 'entropy' | 'neg-entropy',
  type: NumberType,
): number {
  let negative = 0;
  for (let id = 0; id < vocab; id++) {
    const p = probability(logits[start + id]);
    negative += rounded(p * rounded(Math.log(rounded(p + 1e-10, type)), type), type);
  }
  const share = Math.min(1, Math.max(0, -rounded(negative, type) / Math.log(vocab)));
  return rule === 'entropy' ? share : 1 - share;
}

/** Softmax probability of one token in a row of logits, in f64. @param logits row-major [rows, vocab] */
export function probabilityOf(logits: Float32Array, row: number, vocab: number, token: number): number {
  const start = row * vocab;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < vocab; id++) maximum = Math.max(maximum, logits[start + id]);
  let sum = 0;
  for (let id = 0; id < vocab; id++) sum += Math.exp(logits[start + id] - maximum);
  return Math.exp(logits[start + token] - maximum) / sum;
}
