import type { Cell } from '../../src/util/csv.js';
import type { RunRecord } from './record.js';
import { flatten } from './table.js';

export interface DiffLine {
  /** e.g. `config.memory`, `inputs.profile sm8750`, `ms`. */
  readonly name: string;
  readonly a: Cell;
  readonly b: Cell;
  /** b / a of two numbers; null otherwise. */
  readonly ratio: number | null;
}

/** What two runs do not share: what they were asked first, then what came out. */
export function diffRuns(a: RunRecord, b: RunRecord): { asked: DiffLine[]; found: DiffLine[] } {
  const asked = (run: RunRecord): Record<string, Cell> => ({
    kind: run.kind,
    code: run.code,
    ...flatten('config', run.config),
    ...flatten('inputs', run.inputs),
  });
  const found = (run: RunRecord): Record<string, Cell> => ({
    outcome: run.outcome,
    reason: run.reason ?? null,
    ...run.metrics,
  });
  return { asked: lines(asked(a), asked(b)), found: lines(found(a), found(b)) };
}

function lines(a: Readonly<Record<string, Cell>>, b: Readonly<Record<string, Cell>>): DiffLine[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((name) => {
    const [left, right] = [a[name] ?? null, b[name] ?? null];
    if (left === right) return [];
    const ratio = typeof left === 'number' && typeof right === 'number' && left !== 0 ? right / left : null;
    return [{ name, a: left, b: right, ratio }];
  });
}
