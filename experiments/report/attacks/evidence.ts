import { join } from 'node:path';
import { CheckError } from '../../../src/errors.js';
import { readJson } from '../../../src/util/read-file.js';
import { formatValue } from '../../comparison/print.js';
import { type ReproducedRow, type ReproduceResult, readResult } from '../../comparison/result.js';
import { readSummary } from '../../studies/ladder/summary-file.js';
import type { AblationRow, AblationSummary } from '../../studies/ladder/types.js';
import type { QualityRow, QualityTable } from '../../studies/quality/table.js';

/** What a reviewer may hold against the study, and the number that answers. */
export interface Attack {
  readonly attack: string;
  readonly answer: string;
}

/** The reference results that answers are made of. */
export interface Evidence {
  readonly reference: string;
  readonly ladder: AblationSummary;
  /** A study of `reproduce`. */
  readonly study: (name: string) => ReproduceResult;
  /** A row of the ladder. */
  readonly rung: (name: string) => AblationRow;
  /** A quality table, by its file. */
  readonly quality: (name: string) => QualityTable;
}

/** @param reference directory of the reference results */
export function evidenceIn(reference: string): Evidence {
  const ladder = readSummary(join(reference, 'ablation', 'summary.json'));
  return {
    reference,
    ladder,
    study: (name) => readResult(join(reference, 'reproduce', name, 'result.json')),
    rung: (name) => found(ladder.rows, (row) => row.name === name, name),
    quality: (name) => readJson(join(reference, 'quality', `${name}.json`)) as QualityTable,
  };
}

/** @throws CheckError for what the results do not have */
export function found<T>(rows: readonly T[], is: (row: T) => boolean, name: string): T {
  const row = rows.find(is);
  if (row === undefined) throw new CheckError(`the results have no ${name}`);
  return row;
}

/** @throws CheckError for a row that a study does not have */
export function rowOf({ rows, name }: ReproduceResult, row: string): ReproducedRow {
  return found(rows, (each) => each.name === row, `${name}: ${row}`);
}

/** @throws CheckError for a value that is missing */
export function number(value: number | null | undefined, name: string): number {
  if (value === null || value === undefined) throw new CheckError(`the results have no value of ${name}`);
  return value;
}

/** Our value of a row. @throws CheckError where there is none */
export function oursOf(result: ReproduceResult, row: string): number {
  return number(rowOf(result, row).ours, `${result.name}: ${row}`);
}

/** A row of a quality table. @throws CheckError where there is none */
export function policyOf({ rows }: QualityTable, policy: string): QualityRow {
  return found(rows, (row) => row.policy === policy, policy);
}

/** What a choice or a number moves, in whole percent of its row, by the start of its name. */
export function swingOf(tornado: ReproduceResult, start: string): string {
  const row = found(tornado.rows, ({ name }) => name.startsWith(start), `tornado: ${start}`);
  return `${number(row.ours, row.name).toFixed(0)} %`;
}

export const x = (ratio: number): string => `${formatValue(ratio)}x`;
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
export const shareOf = ({ exact }: QualityRow): number => exact.successes / exact.n;
export const secondsOf = (row: QualityRow): number => number(row.seconds?.median, row.policy);
