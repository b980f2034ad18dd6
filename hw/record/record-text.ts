import { table } from '../../src/util/table.js';
import { bucketName } from '../graph/buckets.js';
import type { DeviceRecord } from './device-record.js';

/** The class of a run, and what it lacks for a real NPU. */
export function classText({ executionClass, missing }: DeviceRecord): string {
  const lacks = missing.length === 0 ? '' : `; for npu-device it lacks ${missing.join(', ')}`;
  return `class ${executionClass}${lacks}`;
}

/** Passes and times of every compiled graph of a run. */
export function graphsText({ runs }: Pick<DeviceRecord, 'runs'>): string {
  const graphs = new Map<string, DeviceRecord['runs']>();
  for (const run of runs) {
    const name = run.bucket === undefined ? '-' : bucketName(run.bucket);
    graphs.set(name, [...(graphs.get(name) ?? []), run]);
  }
  return table(
    ['graph', '> passes', '> host\nms per pass', '> accelerator\nMcycles per pass'],
    [...graphs].map(([name, of]) => {
      const ms = mean(of.map(({ hostMs }) => hostMs));
      const cycles = mean(of.map(({ acceleratorCycles }) => acceleratorCycles));
      return [name, `${of.length}`, ms?.toFixed(1) ?? '-', cycles === null ? '-' : (cycles / 1e6).toFixed(2)];
    }),
  );
}

/** Of the known ones; null without any. */
function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
