import { uniformAt } from '../../src/decode/rules/random.js';
import { softmax } from './plain-model.js';
import type { Scorer } from './witness.js';

/** Confidences by name, from the probabilities of a row and the token that was chosen. */
const CONFIDENCE = {
  probability: (p: readonly number[], token: number) => p[token],
  margin: (p: readonly number[], _: number, mask: number) => {
    const [first, second] = p.filter((_q, id) => id !== mask).sort((a, b) => b - a);
    return first - second;
  },
  entropy: (p: readonly number[]) =>
    -p.reduce((h, q) => (q > 0 ? h + q * Math.log(q) : h), 0) / Math.log(p.length),
  certainty: (p: readonly number[]) => 1 - CONFIDENCE.entropy(p),
  /** Number of tokens that would be as unsure, its inverse; the mask is no token. */
  perplexity: (p: readonly number[], _: number, mask: number) => {
    const tokens = p.filter((_q, id) => id !== mask);
    const total = tokens.reduce((a, b) => a + b, 0);
    return tokens.reduce((product, q) => (q > 0 ? product * (q / total) ** (q / total) : product), 1);
  },
};
export type PlainConfidence = keyof typeof CONFIDENCE | 'random';

export interface PlainSampling {
  readonly confidence?: PlainConfidence;
  /** LLaDA: noise on the logits, probabilities without it. */
  readonly gumbel?: number;
  /** Dream: temperature, top-p, top-k; llama.cpp: top-k, top-p, temperature. Then a draw. */
  readonly filter?: {
    readonly dream: boolean;
    readonly temperature: number;
    readonly topP: number | null;
    readonly topK: number | null;
  };
  readonly seed?: number;
  /** LLaDA: the token that ends a text is never chosen, or chosen but written last. */
  readonly endOfText?: { readonly id: number; readonly never: boolean; readonly last: boolean };
}

const noise = (...counters: number[]) => -Math.log(-Math.log(uniformAt(...counters)));

/** The mask token is never chosen; ties go to the lowest id. */
export function scorer(
  mask: number,
  { confidence = 'probability', gumbel = 0, filter, seed = 0, endOfText }: PlainSampling = {},
): Scorer {
  return (raw, { position, draw }) => {
    const without = (values: readonly number[], id: number) =>
      values.map((value, at) => (at === id ? Number.NEGATIVE_INFINITY : value));
    let logits = endOfText?.never === true ? without(raw, endOfText.id) : [...raw];
    let noisy = logits;
    if (draw !== null && filter !== undefined) {
      const divide = () => {
        if (filter.temperature > 0) logits = logits.map((value) => Math.fround(value / filter.temperature));
      };
      const keep = (count: (p: number[]) => number) => {
        const order = logits
          .map((_, id) => id)
          .filter((id) => id !== mask && logits[id] > Number.NEGATIVE_INFINITY);
        order.sort((a, b) => logits[b] - logits[a] || a - b);
        const kept = new Set(order.slice(0, count(softmax(order.map((id) => logits[id])))));
        logits = logits.map((value, id) => (kept.has(id) ? value : Number.NEGATIVE_INFINITY));
      };
      const { topP, topK } = filter;
      const byK = () => topK !== null && keep(() => topK);
      // The token that crosses top-p stays.
      const byP = () =>
        topP !== null &&
        keep((p) => p.findIndex((_, n) => p.slice(0, n + 1).reduce((a, b) => a + b) > topP) + 1 || p.length);
      for (const stage of filter.dream ? [divide, byP, byK] : [byK, byP, divide]) stage();
      const draws = filter.temperature > 0 || !filter.dream;
      noisy = logits.map((value, id) => (draws ? value + noise(seed, draw, position, 1, id) : value));
    } else if (draw !== null && gumbel > 0) {
      noisy = logits.map((value, id) => value + gumbel * noise(seed, draw, position, 1, id));
    }
    const order = noisy
      .map((_, id) => id)
      .filter((id) => id !== mask)
      .sort((a, b) => noisy[b] - noisy[a] || a - b);
    const [token] = order;
    const margin = noisy[token] - noisy[order[1]];
    if (confidence === 'random')
      return {
        token,
        margin,
        confidence: draw === null ? softmax(logits)[token] : uniformAt(seed, draw, position, 2),
      };
    if (endOfText?.last === true && token === endOfText.id) return { token, margin, confidence: 0 };
    const judged = endOfText?.last === true ? without(logits, endOfText.id) : logits;
    return { token, margin, confidence: CONFIDENCE[confidence](softmax(judged), token, mask) };
  };
}
