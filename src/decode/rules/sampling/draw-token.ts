import { gumbelAt } from '../random.js';
import type { RowDraw } from '../rule.js';

/** Streams of random numbers that must not meet. */
export const TOKEN_STREAM = 1;
export const CONFIDENCE_STREAM = 2;

/**
 * The token whose logit plus scaled Gumbel noise is largest; the lowest id on ties. Removed tokens (-Infinity) and
 * the mask are never drawn.
 * @param scale 0 takes the best token
 */
export function drawToken(
  logits: Float32Array,
  maskId: number,
  scale: number,
  seed: number,
  { draw, position }: RowDraw,
): number {
  let token = -1;
  let best = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    if (id === maskId || logits[id] === Number.NEGATIVE_INFINITY) continue;
    const noise = scale === 0 ? 0 : scale * gumbelAt(seed, draw, position, TOKEN_STREAM, id);
    const value = logits[id] + noise;
    if (value > best) {
      best = value;
      token = id;
    }
  }
  return token;
}
