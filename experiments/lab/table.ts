import type { Cell } from '../../src/util/csv.js';
import type { RunRecord } from './record.js';

/** Runs as a table: one row each, one column per option, metric and hash. */
export interface RunTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Columns every table has, before the options and metrics. */
const FIRST = ['hash', 'kind', 'outcome', 'code'] as const;

/**
 * A run as a row: options become `config.NAME`, entries of an option `config.NAME.ENTRY`, metrics `NAME`.
 */
export function runRow(record: RunRecord): Record<string, Cell> {
  const { hash, kind, outcome, code, config, metrics, reason } = record;
  const row = { hash, kind, outcome, code, ...flatten('config', config), ...metrics };
  return reason === undefined ? row : { ...row, reason };
}

/** Columns in the order of their first appearance. A cell is null where a run has no such option or metric. */
export function runTable(records: readonly RunRecord[]): RunTable {
  const flat = records.map(runRow);
  const columns = [...new Set([...FIRST, ...flat.flatMap(Object.keys)])];
  return { columns, rows: flat.map((row) => columns.map((name) => row[name] ?? null)) };
}

/** Entries of objects get a name each; lists and empty objects are written as JSON. */
export function flatten(prefix: string, value: unknown): Record<string, Cell> {
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  ) {
    return { [prefix]: value };
  }
  const entries = Array.isArray(value) ? [] : Object.entries(value as object);
  if (entries.length === 0) return Array.isArray(value) ? { [prefix]: JSON.stringify(value) } : {};
  return Object.assign({}, ...entries.map(([name, below]) => flatten(`${prefix}.${name}`, below)));
}
