import { z } from 'zod';

/**
 * What a published number was measured under. A number is shown beside a run only where these are the run's own: beside
 * another chip, model, length or data set it would read as a result.
 */
export const conditionsSchema = z.strictObject({
  costModel: z.string().min(1),
  quant: z.string().min(1),
  /** As vendors number it, e.g. `SM8750`. */
  soc: z.string().min(1),
  /** Null: the number does not depend on what was decided. */
  dataset: z.string().min(1).nullable(),
  /** Generated tokens; null: the number does not depend on them. */
  genLength: z.int().min(1).nullable(),
});

export type Conditions = z.infer<typeof conditionsSchema>;

/** What a run is made under. */
export interface RunConditions {
  readonly costModel: string;
  readonly quant: string;
  /** The profile's own words, which contain the vendor's number. */
  readonly soc: string;
  /** Null where nothing was decided, or where what was decided is of no published data set. */
  readonly dataset: string | null;
  readonly genLength: number;
}

/** One way in which a run is not what was published. */
export interface Mismatch {
  readonly condition: keyof Conditions;
  readonly published: string;
  readonly run: string;
}

/** In what a run differs from the conditions of a published number; none where they may stand side by side. */
export function mismatches(published: Conditions, run: RunConditions): Mismatch[] {
  const found: Mismatch[] = [];
  const compare = (
    condition: keyof Conditions,
    theirs: string | number | null,
    ours: string | number | null,
  ): void => {
    if (theirs !== null && theirs !== ours)
      found.push({ condition, published: String(theirs), run: String(ours ?? 'that nothing published has') });
  };
  compare('costModel', published.costModel, run.costModel);
  compare('quant', published.quant, run.quant);
  if (!run.soc.toUpperCase().includes(published.soc.toUpperCase()))
    found.push({ condition: 'soc', published: published.soc, run: run.soc });
  compare('dataset', published.dataset, run.dataset);
  compare('genLength', published.genLength, run.genLength);
  return found;
}

const WORDS: Readonly<Record<keyof Conditions, string>> = {
  costModel: 'model',
  quant: 'weights',
  soc: 'chip',
  dataset: 'data set',
  genLength: 'generated tokens',
};

/** Why published numbers are not shown. */
export function withheldNote(differs: readonly Mismatch[]): string {
  const each = differs.map(
    ({ condition, published, run }) => `${WORDS[condition]} ${run} where they have ${published}`,
  );
  return `No published number is shown: this run has ${each.join(', ')}.`;
}
