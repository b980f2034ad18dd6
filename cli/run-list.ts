import { createColors } from 'picocolors';
import { z } from 'zod';
import type { Metrics } from '../experiments/lab/kind.js';
import { kindByName, kindNames } from '../experiments/lab/kinds/registry.js';
import { userMetrics } from '../experiments/lab/metric.js';
import type { IndexLine } from '../experiments/lab/record.js';
import type { ResultStore } from '../experiments/lab/store.js';
import { flatten } from '../experiments/lab/table.js';
import { type Column, formatTable } from '../src/util/table.js';
import type { Context } from './io.js';

/** `--metric`, for every command that shows runs. */
export const metric = z
  .array(z.string())
  .default([])
  .describe(
    'a column of your own: arithmetic over the others, e.g. "ms / config.rows", "per_row = ms / config.rows"; repeatable',
  )
  .meta({ repeat: true, value: 'expression' });

/** A run of the index, with the user's metrics where some were asked for. */
export type ListedRun = IndexLine & { readonly metrics?: Metrics };

/** @throws UsageError for a metric that cannot be read */
export async function listRuns(
  store: ResultStore,
  lines: readonly IndexLine[],
  texts: readonly string[],
): Promise<ListedRun[]> {
  if (texts.length === 0) return [...lines];
  const values = await userMetrics(
    lines.map(({ hash }) => store.read(hash)),
    texts,
  );
  return lines.map((line, i) => ({ ...line, metrics: values[i] }));
}

/** The same with the main metrics of each run's kind before the user's. */
export async function withMainMetrics(store: ResultStore, runs: readonly ListedRun[]): Promise<ListedRun[]> {
  const main = new Map<string, readonly string[]>();
  for (const name of kindNames()) main.set(name, (await kindByName(name)).main);
  return runs.map((run) => {
    const { metrics } = store.read(run.hash);
    const own = (main.get(run.kind) ?? []).map((name) => [name, metrics[name] ?? null] as const);
    return { ...run, metrics: { ...Object.fromEntries(own), ...run.metrics } };
  });
}

/** Prints runs with the options in which they differ, the user's metrics, and why a run was refused if asked for. */
export function printRuns(
  ctx: Context,
  runs: readonly ListedRun[],
  reasonOf?: (run: ListedRun) => string,
): void {
  const options = runs.map(({ config }) => flatten('', config));
  const names = [...new Set(options.flatMap(Object.keys))].filter(
    (name) => new Set(options.map((config) => config[name])).size > 1,
  );
  const metrics = [...new Set(runs.flatMap(({ metrics: own }) => Object.keys(own ?? {})))];
  const left = (title: string): Column => ({ header: [title], align: 'left' });
  const right = (title: string): Column => ({ header: [title], align: 'right' });
  ctx.print(
    formatTable(
      [
        left('hash'),
        left('kind'),
        left('outcome'),
        right('run s'),
        ...names.map((name) => left(name.slice(1))),
        ...metrics.map(right),
        ...(reasonOf ? [left('reason')] : []),
      ],
      runs.map((run, at) => [
        run.hash.slice(0, 12),
        run.kind,
        run.outcome,
        run.seconds === null ? '' : run.seconds.toFixed(2),
        ...names.map((name) => String(options[at][name] ?? '')),
        ...metrics.map((name) => numberText(run.metrics?.[name] ?? null)),
        ...(reasonOf ? [reasonOf(run)] : []),
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
}

/** Six digits: the data has all of them. */
function numberText(value: number | null): string {
  return value === null ? '' : String(Number(value.toPrecision(6)));
}

/** Long hashes are cut, numbers rounded: the data has all of it. */
export function cellText(value: unknown): string {
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value.slice(0, 12);
  return value === null ? '' : String(value);
}
