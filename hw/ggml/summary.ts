import type { ProfileLog } from './profile-log.js';

/** Operators of one kind and shape on one NPU, added up. */
export interface OpTotal {
  readonly session: string;
  readonly op: string;
  readonly dims: string;
  readonly types: string | null;
  readonly kernel: string | null;
  readonly count: number;
  readonly us: number;
  readonly cycles: number;
  /** Of the time of all operators of that NPU. */
  readonly share: number;
}

/** NPUs that a profile is of, in order of their first operator. Their times overlap and are never added. */
export function sessionsOf({ ops }: Pick<ProfileLog, 'ops'>): string[] {
  return [...new Set(ops.map(({ session }) => session))];
}

/** Where the time of each NPU goes, largest first. */
export function opTotals({ ops }: Pick<ProfileLog, 'ops'>): OpTotal[] {
  const totals = new Map<string, Omit<OpTotal, 'share'>>();
  const all = new Map<string, number>();
  for (const { session, op, dims, types, kernel, us, cycles } of ops) {
    const key = [session, op, dims, types, kernel].join('|');
    const sum = totals.get(key) ?? { session, op, dims, types, kernel, count: 0, us: 0, cycles: 0 };
    totals.set(key, { ...sum, count: sum.count + 1, us: sum.us + us, cycles: sum.cycles + cycles });
    all.set(session, (all.get(session) ?? 0) + us);
  }
  return [...totals.values()]
    .map((total) => ({ ...total, share: total.us / (all.get(total.session) || 1) }))
    .sort((a, b) => b.us - a.us);
}

/** Cycles that each kind of unit of each NPU was busy in the intervals of a trace (`GGML_HEXAGON_PROFILE=3`). */
export function unitCycles({
  intervals,
}: Pick<ProfileLog, 'intervals'>): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const busy = new Map<string, Map<string, number>>();
  for (const { session, event, cycles } of intervals) {
    const units = busy.get(session) ?? new Map<string, number>();
    busy.set(session, units.set(event, (units.get(event) ?? 0) + cycles));
  }
  return Object.fromEntries([...busy].map(([session, units]) => [session, Object.fromEntries(units)]));
}
