import { spreadInterval } from '../interval/interval.js';
import { type Case, interpret } from './interpret.js';
import { formOf, samples } from './interval.js';
import { nominalDraw, type Predicted, predict } from './predict.js';
import type { PublishedRow } from './published.js';
import { NotModelled } from './reading/refusal.js';
import { boundOf } from './reading/units.js';

/** A published measurement beside the machine's prediction, in the unit of the row. */
export interface ScoredRow {
  readonly id: string;
  readonly predicted: number | null;
  /** Between these lie 80 % of what ranges of numbers, what the row leaves open and the form of the model allow. */
  readonly low: number | null;
  readonly high: number | null;
  readonly published: number;
  readonly unit: string;
  /**
   * predicted / published - 1; null where the row cannot be modelled. A source that only asserts a bound says nothing
   * about how far beyond it the truth is: a prediction that satisfies the bound has error 0.
   */
  readonly error: number | null;
  /** |ln(predicted / published)|, in which twice as fast and half as fast are equally far off; 0 as `error`. */
  readonly logError: number | null;
  /** The interval contains the published value; null for a bound, or without an interval. */
  readonly inside: boolean | null;
  /** Why not modelled; null where it is. */
  readonly reason: string | null;
  /** What was timed, e.g. `sm8850/llama.cpp-hexagon/qwen3-4b/q4_0`. */
  readonly as: string | null;
  /** The source gives a bound, not a measurement. */
  readonly bound: boolean;
  /** What the row leaves open, and what was taken for it. */
  readonly notes: readonly string[];
}

/** A row with everything that was found on the way. */
export interface PredictedRow {
  readonly wanted: Case;
  readonly predicted: Predicted;
  /** ln of the predictions over what is open. */
  readonly logs: readonly number[];
}

/** Predicts a row; a reason where it cannot be modelled. Profiles and stacks are taken as shipped. */
export function predictRow(row: PublishedRow): PredictedRow | { readonly reason: string } {
  const found = interpret(row);
  if ('reason' in found) return found;
  try {
    const wanted = found.case;
    return { wanted, predicted: predict(wanted, nominalDraw(wanted), true), logs: samples(wanted) };
  } catch (error) {
    if (error instanceof NotModelled) return { reason: error.message };
    throw error;
  }
}

/** @throws the signal's reason between two rows */
export function scoreRows(
  published: readonly PublishedRow[],
  signal?: AbortSignal,
  onRow?: (done: number) => void,
): ScoredRow[] {
  return published.map((row, at) => {
    signal?.throwIfAborted();
    const scored = scoreRow(row);
    onRow?.(at + 1);
    return scored;
  });
}

function scoreRow(row: PublishedRow): ScoredRow {
  const { id, value: published, unit } = row;
  const side = boundOf(row);
  const bound = side !== null;
  const found = predictRow(row);
  if ('reason' in found) {
    const nothing = {
      predicted: null,
      low: null,
      high: null,
      error: null,
      logError: null,
      inside: null,
      as: null,
    };
    return { id, published, unit, bound, ...nothing, reason: found.reason, notes: [] };
  }
  const { wanted, predicted, logs } = found;
  const { low, high } = spreadInterval(predicted.value, logs, formOf(wanted).deviation);
  const deviation = predicted.value / published - 1;
  const error =
    side === 'at least' ? Math.min(0, deviation) : side === 'at most' ? Math.max(0, deviation) : deviation;
  return {
    id,
    predicted: predicted.value,
    low,
    high,
    published,
    unit,
    error,
    logError: Math.abs(Math.log1p(error)),
    inside: bound ? null : low <= published && published <= high,
    reason: null,
    bound,
    as: [
      wanted.profiles[0],
      wanted.stacks[0],
      ...(wanted.shapes === null ? [] : [wanted.shapes.name]),
      wanted.quant,
    ].join('/'),
    notes: wanted.notes,
  };
}
