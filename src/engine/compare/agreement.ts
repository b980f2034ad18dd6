import type { TokenState } from '../../decode/canvas/types.js';

/** What a compared row was when its logits were computed: a token state, or part of the prompt. */
export type RowState = 'masked' | 'invisible' | 'visible' | 'stable' | 'prompt';

export const ROW_STATES: readonly RowState[] = ['masked', 'invisible', 'visible', 'stable', 'prompt'];

const STATE_NAMES: Readonly<Record<TokenState, RowState>> = {
  M: 'masked',
  IV: 'invisible',
  V: 'visible',
  S: 'stable',
};

export function rowState(state: TokenState, inPrompt: boolean): RowState {
  return inPrompt ? 'prompt' : STATE_NAMES[state];
}

/** Logits of one row under two engines. */
export interface RowDifference {
  /** The same best token, the mask left out; ties go to the lowest id, as in decoding. */
  readonly sameBest: boolean;
  /** Best minus second best logit of the reference. */
  readonly margin: number;
  /** KL divergence of the reference's distribution from the other's, in nats, whole vocabulary. */
  readonly kl: number;
  /** Largest |logit difference| after the mean difference, which no softmax sees, is taken off. */
  readonly maxLogitError: number;
}

/** @param from first element of the row in both arrays */
export function compareRow(
  reference: Float32Array,
  actual: Float32Array,
  from: number,
  vocab: number,
  maskId: number | null,
): RowDifference {
  let [best, second, other, shift] = [-1, -1, -1, 0];
  for (let id = 0; id < vocab; id++) {
    shift += (actual[from + id] - reference[from + id]) / vocab;
    if (id === maskId) continue;
    if (best < 0 || reference[from + id] > reference[from + best]) {
      second = best;
      best = id;
    } else if (second < 0 || reference[from + id] > reference[from + second]) second = id;
    if (other < 0 || actual[from + id] > actual[from + other]) other = id;
  }
  const p = logNormaliser(reference, from, vocab);
  const q = logNormaliser(actual, from, vocab);
  let [kl, maxLogitError] = [0, 0];
  for (let id = 0; id < vocab; id++) {
    const logP = reference[from + id] - p;
    kl += Math.exp(logP) * (logP - (actual[from + id] - q));
    maxLogitError = Math.max(maxLogitError, Math.abs(actual[from + id] - reference[from + id] - shift));
  }
  return {
    sameBest: best === other,
    margin: reference[from + best] - reference[from + second],
    // Rounding can leave a hair below 0.
    kl: Math.max(0, kl),
    maxLogitError,
  };
}

function logNormaliser(logits: Float32Array, from: number, vocab: number): number {
  let maximum = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < vocab; id++) maximum = Math.max(maximum, logits[from + id]);
  let sum = 0;
  for (let id = 0; id < vocab; id++) sum += Math.exp(logits[from + id] - maximum);
  return maximum + Math.log(sum);
}

/** Agreement over some rows. */
export interface RowAgreement {
  readonly rows: number;
  readonly sameBest: number;
  /** Rows whose margin is below the near-tie threshold: a small error may turn them. */
  readonly nearTies: number;
  /** Rows with another best token that were no near-tie. */
  readonly differentBeyondNearTies: number;
  /** Largest margin among rows with another best token; null when there is none. */
  readonly largestMarginTurned: number | null;
  readonly klMean: number;
  readonly klMax: number;
  readonly maxLogitError: number;
}

/** Agreement over the rows of one state. */
export interface Agreement extends RowAgreement {
  readonly state: RowState | 'all';
}

/** @param nearTie margin below which a row is a near-tie, in logits */
export function agreementOf(rows: readonly RowDifference[], nearTie: number): RowAgreement {
  const turned = rows.filter((row) => !row.sameBest);
  const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);
  return {
    rows: rows.length,
    sameBest: rows.length - turned.length,
    nearTies: rows.filter((row) => row.margin < nearTie).length,
    differentBeyondNearTies: turned.filter((row) => row.margin >= nearTie).length,
    largestMarginTurned: turned.length === 0 ? null : largest(turned.map((row) => row.margin)),
    klMean: rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row.kl, 0) / rows.length,
    klMax: largest(rows.map((row) => row.kl)),
    maxLogitError: largest(rows.map((row) => row.maxLogitError)),
  };
}

/** Sums row differences by state. */
export class AgreementCounter {
  private readonly byState = new Map<RowState, RowDifference[]>();

  /** @param nearTie margin below which a row is a near-tie, in logits */
  constructor(private readonly nearTie: number) {}

  add(state: RowState, row: RowDifference): void {
    const rows = this.byState.get(state) ?? [];
    rows.push(row);
    this.byState.set(state, rows);
  }

  /** States that occurred, then all rows together. */
  result(): readonly Agreement[] {
    const present = ROW_STATES.flatMap((state) => {
      const rows = this.byState.get(state);
      return rows === undefined ? [] : [{ state, rows }];
    });
    return [
      ...present.map(({ state, rows }) => this.summary(state, rows)),
      this.summary(
        'all',
        present.flatMap(({ rows }) => rows),
      ),
    ];
  }

  private summary(state: RowState | 'all', rows: readonly RowDifference[]): Agreement {
    return { state, ...agreementOf(rows, this.nearTie) };
  }
}
