import { CheckError } from '../../src/errors.js';
import type { BySource, Columns, Experiment, Kind, RowSpec } from './experiment.js';
import { derive, evaluate, list, type Scope, scopeOf } from './expressions.js';
import type { ReproducedRow } from './result.js';

/**
 * Compares measured columns with the paper's.
 * @throws CheckError naming the expression that is wrong
 */
export function evaluateExperiment(
  experiment: Pick<Experiment, 'derived' | 'rows'>,
  measured: Columns,
  paper: Columns,
  source: keyof BySource<unknown> = 'other',
): { derived: Columns; rows: ReproducedRow[] } {
  const scope: Scope = { ...scopeOf(measured), paper: scopeOf(paper) };
  const derived = derive(experiment.derived, scope);
  return { derived, rows: experiment.rows.flatMap((spec) => rowsOf(settle(spec, source), scope)) };
}

/** A row of which nothing depends on the source any more. */
type SettledRow = Omit<RowSpec, 'kind' | 'whenMissed'> & { readonly kind: Kind; readonly whenMissed: string };

function settle(spec: RowSpec, source: keyof BySource<unknown>): SettledRow {
  return {
    ...spec,
    kind: bySource(spec.kind, source),
    whenMissed: bySource(spec.whenMissed ?? 'not explained', source),
  };
}

/** What holds for a source. */
export function bySource<T extends string>(value: T | BySource<T>, source: keyof BySource<unknown>): T {
  return typeof value === 'string' ? value : value[source];
}

function rowsOf(spec: SettledRow, scope: Scope): ReproducedRow[] {
  const ours = list(evaluate(spec.ours, scope, spec.name));
  const paper = spec.paper === null ? null : list(evaluate(spec.paper, scope, spec.name));
  const labels = spec.labels === undefined ? null : list(evaluate(spec.labels, scope, spec.name));
  for (const other of [paper, labels]) {
    if (other !== null && other.length !== ours.length)
      throw new CheckError(`${spec.name}: ${ours.length} values against ${other.length}`);
  }
  return ours.flatMap((value, i) => {
    const printed = finite(paper?.[i]);
    // A point the paper does not show is not a row.
    if (paper !== null && printed === null) return [];
    const name = spec.name.replace('{label}', String(labels?.[i] ?? i));
    return [rowOf(spec, name, finite(value), printed)];
  });
}

function rowOf(spec: SettledRow, name: string, ours: number | null, paper: number | null): ReproducedRow {
  const error =
    spec.kind === 'ordering' || ours === null || paper === null ? null : relativeError(ours, paper);
  const base = { name, ours, paper, error, kind: spec.kind, unit: spec.unit };
  if (spec.band === undefined) return { ...base, claim: null, band: null, pass: null, reason: null };
  const scope = { ours: ours ?? Number.NaN, paper: paper ?? Number.NaN, error: error ?? Number.NaN };
  const pass = evaluate(spec.band.pass, scope, name) === true;
  return {
    ...base,
    claim: spec.band.claim,
    band: spec.band.text,
    pass,
    reason: pass ? null : spec.whenMissed,
  };
}

/** (ours - paper) / paper; null where the paper has 0. */
export function relativeError(ours: number, paper: number): number | null {
  return paper === 0 ? null : (ours - paper) / paper;
}

function finite(value: unknown): number | null {
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
