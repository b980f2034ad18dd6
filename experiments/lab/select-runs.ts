import { UsageError } from '../../src/errors.js';
import { codeVersion } from './code-version.js';
import { planSweep } from './plan.js';
import type { IndexLine } from './record.js';
import type { ResultStore } from './store.js';
import { readSweep } from './sweep-file.js';
import { flatten } from './table.js';

/** Which stored runs are meant. */
export interface RunFilter {
  readonly kind?: string;
  /** Conditions `option=value`, all of which hold. */
  readonly where: readonly string[];
  /** Sweep file: only its runs, in its order. */
  readonly sweep?: string;
  /** Only combinations that cannot run. */
  readonly refused: boolean;
  /** Also runs of other versions of the code. */
  readonly anyCode: boolean;
}

/**
 * Index lines that pass the filter, in order.
 * @throws UsageError for a condition that is none; EnvironmentError or DataError for the sweep file
 */
export async function selectRuns(store: ResultStore, filter: RunFilter): Promise<IndexLine[]> {
  const conditions = filter.where.map(conditionOf);
  return (await candidates(store, filter)).filter((line) => {
    if (filter.kind !== undefined && line.kind !== filter.kind) return false;
    if (filter.refused && line.outcome !== 'refused') return false;
    const options = flatten('', line.config);
    return conditions.every(({ option, value }) => String(options[`.${option}`]) === value);
  });
}

async function candidates(store: ResultStore, { sweep, anyCode }: RunFilter): Promise<IndexLine[]> {
  const lines = store.index();
  if (sweep !== undefined) {
    const byHash = new Map(lines.map((line) => [line.hash, line]));
    return (await planSweep(readSweep(sweep))).flatMap(({ hash }) => byHash.get(hash) ?? []);
  }
  if (anyCode) return lines;
  const code = codeVersion();
  return lines.filter((line) => line.code === code);
}

function conditionOf(text: string): { readonly option: string; readonly value: string } {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--where takes option=value, got "${text}"`);
  return { option: text.slice(0, at), value: text.slice(at + 1) };
}
