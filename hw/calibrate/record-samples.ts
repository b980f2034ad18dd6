import { UsageError } from '../../src/errors.js';
import { type Bucket, bucketName } from '../graph/buckets.js';
import type { DeviceRecord } from '../record/device-record.js';
import { whyTimesDoNotCount } from '../record/execution-class.js';

/** Time of one operator, over all runs of a record. */
export interface MeasuredOp {
  /** Compiled graph it is part of; null in a record that names shapes instead. */
  readonly bucket: Bucket | null;
  readonly op: string;
  readonly us: number;
  /** Runs that it was measured in. */
  readonly runs: number;
}

/** What the host waited for beyond the accelerator, in one run. */
export interface HostOverhead {
  readonly bucket: Bucket;
  readonly us: number;
}

export interface DeviceTimes {
  readonly ops: readonly MeasuredOp[];
  readonly overheads: readonly HostOverhead[];
  /** Times and cycles of the same thing, for the clock. */
  readonly clocked: readonly { readonly us: number; readonly cycles: number }[];
}

/**
 * What a record says about a device. The median over runs stands for an operator: a run that was interrupted must
 * not count.
 * @throws UsageError for a record of any class but `npu-device`: emulation never counts
 */
export function deviceTimes(record: DeviceRecord): DeviceTimes {
  const refused = whyTimesDoNotCount(record.executionClass);
  if (refused !== null) {
    throw new UsageError(
      `nothing can be calibrated: ${refused}; missing for a device: ${record.missing.join(', ')}`,
    );
  }
  const clocked = record.runs.flatMap((run) => [
    ...clockedOf(run.acceleratorUs, run.acceleratorCycles),
    ...run.ops.flatMap(({ us, cycles }) => clockedOf(us, cycles)),
  ]);
  const usPerCycle = ratio(clocked);
  const byOp = new Map<string, { bucket: Bucket | null; op: string; us: number[] }>();
  for (const { bucket, ops } of record.runs) {
    for (const { op, us, cycles } of ops) {
      const time = us ?? (cycles === null || usPerCycle === null ? null : cycles * usPerCycle);
      if (time === null || time <= 0) continue;
      const key = `${bucket === undefined ? '' : bucketName(bucket)} ${op}`;
      const seen = byOp.get(key) ?? { bucket: bucket ?? null, op, us: [] };
      seen.us.push(time);
      byOp.set(key, seen);
    }
  }
  return {
    ops: [...byOp.values()].map(({ bucket, op, us }) => ({ bucket, op, us: median(us), runs: us.length })),
    overheads: record.runs.flatMap(({ bucket, hostMs, acceleratorUs }) =>
      bucket === undefined || acceleratorUs === null || !timesEachRun(record)
        ? []
        : [{ bucket, us: hostMs * 1000 - acceleratorUs }],
    ),
    clocked,
  };
}

/** Tools that run many passes in one process have no host time of a single one; the runtime in our own host has. */
function timesEachRun({ tool }: DeviceRecord): boolean {
  return tool.name === 'onnxruntime';
}

function clockedOf(us: number | null, cycles: number | null): { us: number; cycles: number }[] {
  return us === null || cycles === null || us <= 0 || cycles <= 0 ? [] : [{ us, cycles }];
}

function ratio(clocked: readonly { us: number; cycles: number }[]): number | null {
  const sum = (pick: 'us' | 'cycles') => clocked.reduce((total, point) => total + point[pick], 0);
  return clocked.length === 0 ? null : sum('us') / sum('cycles');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = low] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

/** A matrix product by its extents. */
export interface ProductShape {
  readonly rows: number;
  readonly inWidth: number;
  readonly outWidth: number;
}

const EXTENTS = String.raw`(\d+):(\d+)(?::1)*`;
const PRODUCT = new RegExp(String.raw`^MUL_MAT\b[^[]*\[${EXTENTS} x ${EXTENTS} -> ${EXTENTS}\]$`);

/**
 * Extents of a product as the Hexagon backend of llama.cpp prints them, innermost first:
 * `MUL_MAT blk.0.attn_q.weight x attn_norm-0 -> Qcur-0 [4096:4096 x 4096:32 -> 4096:32]`.
 * Null for anything that is no plain product of two matrices.
 */
export function productShape(op: string): ProductShape | null {
  const extents = PRODUCT.exec(op)?.slice(1).map(Number);
  if (extents === undefined) return null;
  const [inWidth = 0, outWidth = 0, alsoIn = 0, rows = 0, alsoOut = 0, alsoRows = 0] = extents;
  return inWidth === alsoIn && outWidth === alsoOut && rows === alsoRows ? { rows, inWidth, outWidth } : null;
}
