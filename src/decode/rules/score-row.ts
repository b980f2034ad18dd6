import { DataError } from '../../errors.js';
import { CONFIDENCES, type ConfidenceName } from './confidence/registry.js';
import { type NumberType, rounded } from './number-type.js';

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
  confidence: ConfidenceName = 'max-softmax',
  type: NumberType = 'f64',
): Score {
  const start = row * vocab;
  const { token, best, second, maximum } = topOf(logits, row, vocab, maskId);
  if (token < 0 || !Number.isFinite(maximum))
    throw new DataError(`logits of row ${row} have no finite maximum`);
  const sum = sumOfExp(logits, start, vocab, maximum);
  const statistics = {
    best,
    second,
    vocab,
    type,
    logit: (id: number) => logits[start + id],
    probability: (logit: number) => rounded(Math.exp(logit - maximum) / sum, type),
    entropy: () => entropyOf(() => true, maximum),
    tokenEntropy: () => entropyOf((id) => id !== maskId, best),
  };
  return { token, confidence: CONFIDENCES[confidence].of(statistics) };

  /** @param top the largest logit of those that count */
  function entropyOf(counts: (id: number) => boolean, top: number): number {
    let [total, weighted] = [0, 0];
    for (let id = 0; id < vocab; id++) {
      if (!counts(id)) continue;
      const shifted = logits[start + id] - top;
      const weight = Math.exp(shifted);
      total += weight;
      // 0 * -Infinity would be NaN.
      if (weight > 0) weighted += weight * shifted;
    }
    return Math.log(total) - weighted / total;
  }
}

interface Top {
  /** Without the mask; -1 when nothing beside it is finite. */
  readonly token: number;
  readonly best: number;
  readonly second: number;
  /** With the mask. */
  readonly maximum: number;
}

/** @throws DataError when the row holds NaN */
function topOf(logits: Float32Array, row: number, vocab: number, maskId: number): Top {
  const start = row * vocab;
  let token = -1;
  let best = Number.NEGATIVE_INFINITY;
  let second = Number.NEGATIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < vocab; id++) {
    const value = logits[start + id];
    // second <= best <= maximum: nearly all of a vocabulary ends here. NaN does not.
    if (value <= second) continue;
    if (Number.isNaN(value)) throw new DataError(`logits of row ${row} hold NaN at token ${id}`);
    if (value > maximum) maximum = value;
    if (id === maskId) continue;
    if (value > best) {
      second = best;
      best = value;
      token = id;
    } else {
      second = value;
    }
  }
  return { token, best, second, maximum };
}

/** In a function of its own: what closures see is kept outside registers, which doubles the time of such a loop. */
function sumOfExp(logits: Float32Array, start: number, vocab: number, maximum: number): number {
  let sum = 0;
  for (let id = 0; id < vocab; id++) sum += Math.exp(logits[start + id] - maximum);
  return sum;
}

/** Softmax probability of one token in a row of logits, in f64. @param logits row-major [rows, vocab] */
export function probabilityOf(logits: Float32Array, row: number, vocab: number, token: number): number {
  const start = row * vocab;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < vocab; id++) maximum = Math.max(maximum, logits[start + id]);
  return Math.exp(logits[start + token] - maximum) / sumOfExp(logits, start, vocab, maximum);
}
