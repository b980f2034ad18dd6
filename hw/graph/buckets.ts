import { UsageError } from '../../src/errors.js';

/** Extents of a compiled graph. NPU graphs have fixed shapes: a pass runs in the smallest bucket that holds it. */
export interface Bucket {
  readonly rows: number;
  /** Cached positions; the rest of the bucket is hidden from every row. */
  readonly context: number;
}

/** Rows of a denoising step: whole 32-row tiles of the matrix unit. Longer prompts take further multiples of 128. */
const ROW_STEP = 32;
const LONG_ROW_STEP = 128;
const SMALLEST_CONTEXT = 64;

/**
 * Smallest bucket for a pass: rows 32, 64, 96, 128, then multiples of 128; context 64 and its doublings, at most
 * the model's own (rounded up to a multiple of 64).
 * @throws UsageError when the pass does not fit the model's context
 */
export function bucketFor(rows: number, context: number, contextLength: number): Bucket {
  if (rows < 1 || rows + context > 2 * contextLength) {
    throw new UsageError(`no bucket for ${rows} rows over ${context} cached positions`);
  }
  const step = rows <= LONG_ROW_STEP ? ROW_STEP : LONG_ROW_STEP;
  const most = Math.ceil(contextLength / SMALLEST_CONTEXT) * SMALLEST_CONTEXT;
  let size = SMALLEST_CONTEXT;
  while (size < context) size *= 2;
  return { rows: Math.ceil(rows / step) * step, context: Math.max(Math.min(size, most), context) };
}

export function bucketName({ rows, context }: Bucket): string {
  return `r${rows}-c${context}`;
}
