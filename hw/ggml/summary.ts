import type { ProfileLog } from './profile-log.js';

/** Operators of one kind and shape, added up. */
export interface OpTotal {
  readonly op: string;
  readonly dims: string;
  readonly types: string;
  readonly kernel: string | null;
  readonly count: number;
  readonly us: number;
  readonly cycles: number;
  /** Of the time of all operators. */
  readonly share: number;
}

/** Where the time of a profile goes, largest first. */
export function opTotals({ ops }: ProfileLog): OpTotal[] {
  const totals = new Map<string, Omit<OpTotal, 'share'>>();
  for (const { op, dims, types, kernel, us, cycles } of ops) {
    const key = [op, dims, types, kernel].join('|');
    const { count, ...sum } = totals.get(key) ?? { op, dims, types, kernel, count: 0, us: 0, cycles: 0 };
    totals.set(key, { ...sum, count: count + 1, us: sum.us + us, cycles: sum.cycles + cycles });
  }
  const all = ops.reduce((sum, { us }) => sum + us, 0);
  return [...totals.values()]
    .map((total) => ({ ...total, share: all === 0 ? 0 : total.us / all }))
    .sort((a, b) => b.us - a.us);
}

/** Cycles that each kind of unit was busy in the intervals of a trace (`GGML_HEXAGON_PROFILE=3`). */
export function unitCycles({ intervals }: ProfileLog): Readonly<Record<string, number>> {
  const busy: Record<string, number> = {};
  for (const { event, cycles } of intervals) busy[event] = (busy[event] ?? 0) + cycles;
  return busy;
}
