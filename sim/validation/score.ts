import { precisionFor } from '../../src/model/precision.js';
import { resolvePreset } from '../../src/model/presets.js';
import type { Machine } from '../machine/machine.js';
import { machine } from '../open-machine.js';
import { timeDecode, timePrefill } from '../workload/workload.js';
import { type Case, interpret } from './interpret.js';
import { kernelPass } from './kernel-shape.js';
import type { PublishedRow } from './published.js';

/** A published measurement beside the machine's prediction, in the unit of the row. */
export interface ScoredRow {
  readonly id: string;
  readonly predicted: number | null;
  readonly published: number;
  readonly unit: string;
  /**
   * predicted / published - 1; null where the row cannot be modelled. A source that only asserts a lower bound says
   * nothing about how far above it the truth is: a prediction that satisfies the bound has error 0.
   */
  readonly error: number | null;
  /** Why not; null where it can. */
  readonly reason: string | null;
  /** What was timed, e.g. `sm8850/llama.cpp-hexagon`. */
  readonly as: string | null;
  /** The source gives a bound, not a measurement. */
  readonly bound: boolean;
}

export interface GroupScore {
  readonly group: string;
  readonly rows: number;
  readonly modelled: number;
  /** Absolute errors; null without modelled rows. */
  readonly median: number | null;
  readonly worst: { readonly id: string; readonly error: number } | null;
}

export interface Score {
  readonly rows: readonly ScoredRow[];
  /** By the letter the ids begin with. */
  readonly groups: readonly GroupScore[];
  readonly overall: GroupScore;
  /** Without the rows that are bounds. */
  readonly measurements: GroupScore;
}

/** Predicts every row that can be modelled. Profiles and stacks are taken as shipped. */
export function scorePublished(published: readonly PublishedRow[]): Score {
  const rows = published.map(scoreRow);
  const names = [...new Set(rows.map(({ id }) => groupOf(id)))].sort();
  const groups = names.map((name) =>
    summarize(
      name,
      rows.filter(({ id }) => groupOf(id) === name),
    ),
  );
  const measured = rows.filter(({ bound }) => !bound);
  return {
    rows,
    groups,
    overall: summarize('all', rows),
    measurements: summarize('without bounds', measured),
  };
}

function groupOf(id: string): string {
  return id.split('-')[0] ?? id;
}

function scoreRow(row: PublishedRow): ScoredRow {
  const { id, value: published, unit } = row;
  const bound = /floor|>=/.test(row.metric);
  const refused = (reason: string): ScoredRow => ({
    id,
    predicted: null,
    published,
    unit,
    error: null,
    reason,
    as: null,
    bound,
  });
  const found = interpret(row);
  if ('reason' in found) return refused(found.reason);
  const predicted = inUnit(found.case, unit);
  if (predicted === null) return refused(`unit "${unit}" of a ${found.case.work.kind} is not modelled`);
  const { profile, stack, model, quant } = found.case;
  const deviation = predicted / published - 1;
  const error = bound ? Math.min(0, deviation) : deviation;
  return {
    id,
    predicted,
    published,
    unit,
    error,
    reason: null,
    bound,
    as: [profile, stack, ...(model === null ? [] : [model]), quant].join('/'),
  };
}

const TIME_UNITS: Readonly<Record<string, number>> = { s: 1e-3, ms: 1, us: 1e3 };

function inUnit(wanted: Case, unit: string): number | null {
  const perMs = TIME_UNITS[unit];
  if (unit !== 'tok/s' && perMs === undefined) return null;
  if (wanted.work.kind === 'kernel') return perMs === undefined ? null : kernelMs(wanted) * perMs;
  const timed = machineFor(wanted);
  const { work } = wanted;
  const { ms, tokensPerS } =
    work.kind === 'prefill'
      ? timePrefill(timed, work.tokens, work.context, work.compiled)
      : timeDecode(timed, work.context, work.sequences);
  return perMs === undefined ? tokensPerS : ms * perMs;
}

function machineFor(wanted: Case, shapes = resolvePreset(wanted.model ?? '')): Machine {
  const { profile, stack, threads, passRows, polls, quant, headQuant: head, memory } = wanted;
  return machine({
    profile,
    stack,
    set: {
      ...(threads === null ? {} : { 'stack.cpuThreads': threads }),
      ...(passRows === null ? {} : { 'stack.prefillRows': passRows }),
      ...(polls && stack.startsWith('llama.cpp-hexagon') ? { 'stack.cpuWakeMs': '0.1 ms' } : {}),
    },
    shapes,
    quant: precisionFor(quant, { head, embedding: head }),
    memory,
  });
}

function kernelMs(wanted: Case): number {
  if (wanted.work.kind !== 'kernel') throw new Error('not a kernel');
  const { model, shape, part } = kernelPass(wanted.work.kernel);
  const timed = machineFor({ ...wanted, memory: 'unlimited' }, model);
  timed.timePass(shape);
  return timed.stepBreakdown().parts.find(({ name }) => name === part)?.ms ?? 0;
}

function summarize(group: string, rows: readonly ScoredRow[]): GroupScore {
  const errors = rows.flatMap(({ id, error }) => (error === null ? [] : [{ id, error }]));
  errors.sort((a, b) => Math.abs(a.error) - Math.abs(b.error));
  const at = (index: number): number => Math.abs(errors[index].error);
  const middle = (errors.length - 1) / 2;
  return {
    group,
    rows: rows.length,
    modelled: errors.length,
    median: errors.length === 0 ? null : (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    worst: errors.at(-1) ?? null,
  };
}
