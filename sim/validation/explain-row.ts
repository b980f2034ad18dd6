import type { FormSpread } from '../interval/form.js';
import { type Interval, spreadInterval } from '../interval/interval.js';
import { parametersOf } from '../sensitivity/parameters.js';
import { oneAtATime } from '../sensitivity/sensitivity.js';
import { formOf } from './interval.js';
import { nominalDraw, predict } from './predict.js';
import type { PublishedRow } from './published.js';
import { type PredictedRow, predictRow } from './score.js';

/** Why a row is predicted as it is. */
export interface RowExplanation {
  readonly id: string;
  readonly published: number;
  readonly predicted: number;
  readonly unit: string;
  readonly interval: Interval;
  /** What was timed. */
  readonly timed: Pick<
    PredictedRow['wanted'],
    'profiles' | 'stacks' | 'quant' | 'memory' | 'threads' | 'passRows' | 'work'
  > & {
    readonly model: string | null;
  };
  readonly notes: readonly string[];
  readonly form: FormSpread;
  /** Of the whole work, or of the operator, in ms, the longest first. */
  readonly parts: readonly { readonly name: string; readonly ms: number }[];
  /** Numbers that move the prediction most, one at a time, with the prediction at both ends of their ranges. */
  readonly numbers: readonly {
    readonly name: string;
    readonly kind: string;
    readonly atLow: number;
    readonly atHigh: number;
    readonly swing: number;
  }[];
}

/** As many numbers as a reader looks at. */
const MOST_NUMBERS = 8;

/** A row taken apart; a reason where it cannot be modelled. */
export function explainRow(row: PublishedRow): RowExplanation | { readonly reason: string } {
  const found = predictRow(row);
  if ('reason' in found) return found;
  const { wanted, predicted, logs } = found;
  const draw = nominalDraw(wanted);
  const { profile, stack } = draw.chip;
  const numbers = oneAtATime(
    draw.chip,
    parametersOf(profile, stack, true),
    (chip) => predict(wanted, { ...draw, chip }).value,
  );
  const { profiles, stacks, quant, memory, threads, passRows, work, shapes } = wanted;
  return {
    id: row.id,
    published: row.value,
    predicted: predicted.value,
    unit: row.unit,
    interval: spreadInterval(predicted.value, logs, formOf(wanted).deviation),
    timed: { profiles, stacks, model: shapes?.name ?? null, quant, memory, threads, passRows, work },
    notes: wanted.notes,
    form: formOf(wanted),
    parts: (predicted.kernelParts ?? predicted.account?.parts ?? []).map(({ name, ms }) => ({ name, ms })),
    numbers: numbers
      .filter(({ swing }) => swing > 0)
      .slice(0, MOST_NUMBERS)
      .map(({ parameter: { name, kind }, atLow, atHigh, swing }) => ({ name, kind, atLow, atHigh, swing })),
  };
}
