import { interpret } from './interpret.js';
import type { PublishedRow } from './published.js';
import type { ScoredRow } from './score.js';

/** What rows are grouped by. */
export const GROUPINGS = ['engine', 'generation', 'chip', 'phase', 'format'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Errors of some rows, bounds left out but for the counts. */
export interface GroupScore {
  /** Null for all rows. */
  readonly by: Grouping | null;
  readonly group: string;
  readonly rows: number;
  readonly modelled: number;
  /** Of the modelled rows, those that are bounds. */
  readonly bounds: number;
  /** Median of |error| and of |ln|; null without measurements that were modelled. */
  readonly median: number | null;
  readonly medianLog: number | null;
  /** Share of measurements inside their interval. */
  readonly coverage: number | null;
  /** Median of high / low of the intervals of measurements: how much an interval says. */
  readonly width: number | null;
  readonly worst: { readonly id: string; readonly error: number } | null;
}

/** A series of one source: one thing changes, and predicted over published should not. */
export interface SeriesSpread {
  readonly series: string;
  readonly over: 'length' | 'model';
  readonly ids: readonly string[];
  /** Largest over smallest predicted / published. */
  readonly spread: number;
}

/** Groups by everything a row says, the largest first within each. */
export function groupsOf(published: readonly PublishedRow[], scored: readonly ScoredRow[]): GroupScore[] {
  return GROUPINGS.flatMap((by) => {
    const members = new Map<string, ScoredRow[]>();
    published.forEach((row, at) => {
      const name = nameOf(row, by);
      members.set(name, [...(members.get(name) ?? []), scored[at]]);
    });
    return [...members]
      .sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
      .map(([name, rows]) => summarize(by, name, rows));
  });
}

function nameOf(row: PublishedRow, by: Grouping): string {
  const found = interpret(row);
  if ('reason' in found) return 'not modelled';
  const { stacks, profiles, work, quant } = found.case;
  switch (by) {
    case 'engine':
      return stacks[0].split('@')[0];
    case 'generation':
      return /v\d+/i.exec(row.npu_arch)?.[0].toLowerCase() ?? 'not stated';
    case 'chip':
      return profiles[0];
    case 'phase':
      return work.kind;
    case 'format':
      return quant;
  }
}

export function summarize(by: Grouping | null, group: string, rows: readonly ScoredRow[]): GroupScore {
  const modelled = rows.filter(({ error }) => error !== null);
  const measured = modelled.filter(({ bound }) => !bound);
  const worst = measured.reduce<ScoredRow | null>(
    (most, row) => (most === null || (row.logError ?? 0) > (most.logError ?? 0) ? row : most),
    null,
  );
  return {
    by,
    group,
    rows: rows.length,
    modelled: modelled.length,
    bounds: modelled.length - measured.length,
    median: median(measured.map(({ error }) => Math.abs(error ?? 0))),
    medianLog: median(measured.map(({ logError }) => logError ?? 0)),
    coverage:
      measured.length === 0
        ? null
        : measured.filter(({ inside }) => inside === true).length / measured.length,
    width: median(measured.map(({ low, high }) => (high ?? 1) / (low ?? 1))),
    worst: worst === null ? null : { id: worst.id, error: worst.error ?? 0 },
  };
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/** Series of at least two measurements that differ in length only, or in the model only. Widest spread first. */
export function seriesOf(published: readonly PublishedRow[], scored: readonly ScoredRow[]): SeriesSpread[] {
  const found: SeriesSpread[] = [];
  for (const over of ['length', 'model'] as const) {
    const members = new Map<string, number[]>();
    published.forEach((row, at) => {
      if (scored[at].predicted === null || scored[at].bound) return;
      const { source, soc, engine, quant, phase, metric, model, batch_or_tokens: tokens, context } = row;
      const held = over === 'length' ? [model] : [tokens, context];
      const key = [source, soc, engine, quant, phase, metric, ...held].join(' | ');
      members.set(key, [...(members.get(key) ?? []), at]);
    });
    for (const [, at] of members) {
      if (at.length < 2) continue;
      const ratios = at.map((index) => (scored[index].predicted ?? 1) / scored[index].published);
      const { engine, soc, phase, model } = published[at[0]];
      found.push({
        series: [engine, soc, phase, ...(over === 'length' ? [model] : [])].join(', '),
        over,
        ids: at.map((index) => scored[index].id),
        spread: Math.max(...ratios) / Math.min(...ratios),
      });
    }
  }
  return found.sort((a, b) => b.spread - a.spread);
}
