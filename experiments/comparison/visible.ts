import type { Decider } from '../lab/deciders/decider.js';
import { type Conditions, mismatches, type RunConditions, withheldNote } from '../paper/conditions.js';
import { conditionsOf } from '../paper/numbers.js';
import type { Columns } from './columns.js';
import type { ReproducedRow, ReproduceResult } from './result.js';
import type { Study } from './study.js';
import type { Workbench } from './workbench.js';

/** What of a study's published side may be shown beside a run. */
export interface Visible {
  /** Published numbers were measured under the run's own conditions. */
  readonly matches: boolean;
  readonly conditions: NonNullable<ReproduceResult['conditions']>;
  /** Sentences to put first. */
  readonly notes: readonly string[];
  /** Whether a sentence of the study may stay. */
  note(text: string): boolean;
  row(row: ReproducedRow): ReproducedRow;
  columns<T>(columns: Readonly<Record<string, T>>): Record<string, T>;
  /** Columns for a figure, what may not be shown left out. */
  drawn(columns: Columns, published: Columns): [Columns, Columns];
}

/** Confidence processes that stand for LLaDA-8B on GSM8K. */
const GSM8K: readonly string[] = ['synthetic', 'synthetic:paper', 'synthetic:gsm8k'];

/** What a study's result may show, by the conditions of what was published and of what runs. */
export function visibleOf(study: Study, bench: Workbench, decider: Decider | undefined): Visible {
  const { costModel, quant, genLength } = bench.options;
  const published: Conditions = { ...conditionsOf(study.paper ?? 'table6'), ...study.conditions };
  const run: RunConditions = {
    costModel,
    quant,
    soc: bench.hardware.soc,
    dataset: decider !== undefined && GSM8K.includes(decider.name) ? 'GSM8K' : null,
    genLength,
  };
  const differs = mismatches(published, run);
  const matches = differs.length === 0;
  // An order that is claimed of decoding in general may be asked of any model's decisions; a value may not.
  const onlyData = differs.every(({ condition }) => condition === 'dataset');
  return {
    matches,
    conditions: { published, run, differs },
    // Where no number of the paper is in the project, none is withheld.
    notes: matches || study.paper === null ? [] : [withheldNote(differs)],
    note: (text) => matches || !/the paper|paper's/i.test(text),
    row: (row) => {
      if (matches) return row;
      const bare = { ...row, paper: null, error: null };
      if (onlyData && row.kind === 'ordering') return bare;
      return { ...bare, claim: null, band: null, pass: null, reason: null };
    },
    columns: (columns) =>
      matches
        ? { ...columns }
        : Object.fromEntries(Object.entries(columns).filter(([name]) => !isPublished(name))),
    drawn: (columns, paper) =>
      matches
        ? [columns, paper]
        : [
            Object.fromEntries(
              Object.entries(columns).map(([name, value]) => [
                name,
                isPublished(name) ? blank(value) : value,
              ]),
            ),
            Object.fromEntries(Object.entries(paper).map(([name, value]) => [name, blank(value)])),
          ],
  };
}

/** Columns of what others measured have this in front. */
function isPublished(name: string): boolean {
  return /^paper_|^published$|_published$/.test(name);
}

function blank(value: Columns[string]): Columns[string] {
  return Array.isArray(value) ? value.map((each) => (typeof each === 'string' ? each : null)) : null;
}
