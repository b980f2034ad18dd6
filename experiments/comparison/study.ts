import type { Figure } from '../figures/page.js';
import type { Conditions } from '../paper/conditions.js';
import type { PaperTableName, PaperTables } from '../paper/numbers.js';
import type { Columns, TableRow } from './columns.js';
import type { BySource, Comparison } from './compare.js';
import type { Decodes } from './decodes.js';
import type { Workbench } from './workbench.js';

/** Columns of a table of the paper; none for a study that the paper does not have. */
type PaperColumns<P extends PaperTableName | null> = P extends PaperTableName
  ? PaperTables[P]['columns']
  : Readonly<Record<never, never>>;

/**
 * One table or figure of the paper, or a question that it leaves open: what runs, what is measured, what follows from
 * it, what it is compared with, how it is drawn.
 */
export interface Study<
  P extends PaperTableName | null = PaperTableName | null,
  Measured extends Columns = Columns,
  Derived extends Columns = Columns,
> {
  /** Also the name of its file. */
  readonly name: string;
  readonly title: string;
  /** Table or figure of experiments/paper/numbers.json; null for a study that the paper does not have. */
  readonly paper: P;
  /**
   * Where published numbers need not have been measured under what the table (or Table 6, for a study without one) was:
   * null in a condition that the study sets by itself or that does not matter.
   */
  readonly conditions?: Partial<Conditions>;
  /** What runs, in one sentence; `{tokens}` is replaced by the generated length. */
  readonly runs: string;
  /** Workload that decides unless the user names one; null: simulated costs only, nothing is decided. */
  readonly workload: string | null;
  /** Software stacks whose assumed numbers the result depends on. */
  readonly stacks: readonly string[];
  /** @param decodes of the workload; only for studies that have one */
  measure(bench: Workbench, decodes: () => Promise<Decodes>): Promise<Measured> | Measured;
  /** What follows from the measured and the published columns. */
  derive(measured: Measured, paper: PaperColumns<P>): Derived;
  /** What each derived column is, for whoever has the result file only. */
  readonly formulas: Readonly<Record<keyof NoInfer<Derived>, string>>;
  /** The rows of the comparison, in order. */
  compare(columns: Measured & Derived, paper: PaperColumns<P>): readonly Comparison[];
  /** What `--json` and rows.csv give in place of the comparison, for a study whose answer is a table of many fields. */
  table?(columns: Measured & Derived): readonly TableRow[];
  /** Sentences without which the comparison would mislead; `{model}` is replaced by the workload's name. */
  readonly notes: readonly (string | BySource<string>)[];
  figure(columns: Measured & Derived, paper: PaperColumns<P>): Figure;
}

/** Finds the types of the columns in what `measure` and `derive` return. */
export function defineStudy<
  P extends PaperTableName | null,
  Measured extends Columns,
  Derived extends Columns,
>(study: Study<P, Measured, Derived>): Study<P, Measured, Derived> {
  return study;
}
