import { CheckError } from '../../src/errors.js';
import { metricsOver } from '../lab/metric.js';
import type { RunRecord } from '../lab/record.js';
import { runRow } from '../lab/table.js';
import type { Figure } from './page.js';
import { pareto } from './pareto.js';

export interface RunAxes {
  /** Column or metric of one's own; smaller is better. */
  readonly x: string;
  /** The same; larger is better, with a `-` before it smaller. */
  readonly y: string;
  /** Option that names a point. */
  readonly name: string;
}

/**
 * Runs by two metrics, with the front.
 * @throws UsageError for a metric that cannot be read; CheckError when no run has both
 */
export async function runPareto(records: readonly RunRecord[], axes: RunAxes): Promise<Figure> {
  const smaller = axes.y.startsWith('-');
  const yText = smaller ? axes.y.slice(1) : axes.y;
  const rows = records.map(runRow);
  const [xMetric, yMetric] = rows.length === 0 ? [] : await metricsOver(rows, [axes.x, yText]);
  const points = rows.flatMap((row) => {
    const [x, y] = [xMetric.of(row), yMetric.of(row)];
    if (x === null || y === null) return [];
    return [{ name: String(row[`config.${axes.name}`] ?? String(row.hash).slice(0, 8)), x, y }];
  });
  if (points.length === 0) throw new CheckError(`no stored run has both ${axes.x} and ${yText}`);
  return pareto(points, {
    title: 'What no other run beats in both',
    x: { title: xMetric.name },
    y: { title: yMetric.name, smaller, percent: yMetric.name.endsWith('Share') },
  });
}
