import type { Pass } from '../../pass/pass.js';

/** Added to every probability before its logarithm, as KLASS does. */
const EPSILON = 1e-12;

/** What a decode remembers of the distributions of its rows: the newest of every position, and how far each of the last moved it. */
export class RowMemory {
  private readonly newest = new Map<number, Float64Array>();
  private readonly moves = new Map<number, readonly number[]>();

  /** @param steps moves that are remembered of a position; null: nothing is */
  constructor(private readonly steps: number | null) {}

  /**
   * Takes in the distribution of a row.
   * @param logits one row
   * @returns the largest of the last moves KL(p_t || p_t-1), in nats; undefined before there are as many, or when nothing is remembered
   */
  drift(pass: Pass, position: number, logits: Float32Array): number | undefined {
    if (this.steps === null || pass.kind !== 'denoise') return undefined;
    const now = softmax(logits);
    const before = this.newest.get(position);
    this.newest.set(position, now);
    if (before === undefined) return undefined;
    const moved = now.reduce(
      (sum, p, id) => sum + p * (Math.log(p + EPSILON) - Math.log(before[id] + EPSILON)),
      0,
    );
    const moves = [...(this.moves.get(position) ?? []), moved].slice(-this.steps);
    this.moves.set(position, moves);
    return moves.length < this.steps ? undefined : Math.max(...moves);
  }
}

function softmax(logits: Float32Array): Float64Array {
  const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}
