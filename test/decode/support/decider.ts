import type { PolicySpec } from '../../../src/decode/spec.js';
import { groupStarts, groupsOf } from '../../../src/pass/groups.js';
import type { Pass, PassOutcome, RowOutcome } from '../../../src/pass/pass.js';
import { hashNumbers } from '../../../src/util/hash-numbers.js';

/** Tokens are 0 to 6 and the end; orders of indel are among them. */
export const DECIDER_END = 7;
export const DECIDER_MASK = 8;

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

/**
 * What the rows of a decode say, without a model: tokens that a position mostly keeps to, and confidences that lie on the numbers of the
 * policy itself, so that thresholds are met exactly and ties are common. A function of seed, step, position and group alone.
 */
export class Decider {
  private readonly levels: readonly number[];
  private readonly moves: readonly number[];
  private readonly asked: readonly number[];

  constructor(
    private readonly seed: number,
    { commit, speculate, revise, window, confidence, revoke }: PolicySpec,
    private readonly endsOften = false,
  ) {
    const own = numbersIn({ commit, speculate, revise, window });
    const fractions = own.filter((value) => value > 0 && value <= 1);
    const entropies = confidence === 'inverse-perplexity' ? own.map((nats) => Math.exp(-nats)) : [];
    this.levels = [...new Set([...fractions, ...entropies, 1 / 8, 1 / 2, 15 / 16])];
    this.moves = [0, ...numbersIn(commit).flatMap((value) => [value / 2, value, 2 * value])];
    this.asked = [1 / 8, 1 / 4, 1 / 2, 1, ...numbersIn(revoke)];
  }

  private pick(values: readonly number[], ...counters: readonly number[]): number {
    return values[hashNumbers(this.seed, ...counters) % values.length];
  }

  private token(about: number, step: number, group: number): number {
    const keeps = hashNumbers(this.seed, about, step, group, 1) % 8 < 5;
    const token = hashNumbers(this.seed, about, ...(keeps ? [2] : [step, 3])) % 8;
    if (this.endsOften) return hashNumbers(this.seed, about, 4) % 4 === 0 ? DECIDER_END : token;
    return token === DECIDER_END && hashNumbers(this.seed, about, 4) % 3 > 0 ? 5 : token;
  }

  /** @param step that the pass belongs to */
  outcome(pass: Pass, step: number): PassOutcome {
    const groups = groupsOf(pass);
    const starts = groupStarts(groups);
    const rows = pass.logits.map((at): RowOutcome => {
      const { position, asks, excludes } = pass.rows[at];
      const group = starts.findLastIndex((start) => start <= at);
      const { kind, visibility } = groups[group];
      // What such a row says is about the position after it.
      const about =
        visibility === 'causal' || kind === 'prefill' || kind === 'seal' ? position + 1 : position;
      const token = this.token(about, step, group);
      const others = Array.from({ length: 8 }, (_, next) => (token + next) % 8);
      const isDenoising = pass.kind === 'denoise' && hashNumbers(this.seed, about, step, 5) % 8 > 0;
      return {
        position,
        token,
        confidence: this.pick(this.levels, about, step, group, 6),
        asked: asks === undefined ? undefined : this.pick(this.asked, about, step, 7),
        drift: isDenoising ? this.pick(this.moves, about, step, 8) : undefined,
        gap: this.pick(this.moves, about, step, 9),
        instead: excludes === undefined ? undefined : others.find((other) => !excludes.includes(other)),
      };
    });
    return { passId: pass.id, rows };
  }
}
