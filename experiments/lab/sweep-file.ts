import { z } from 'zod';
import { DataError } from '../../src/errors.js';
import { readJson } from '../../src/util/read-file.js';

export const SWEEP_SCHEMA = 'dllm-npu/sweep@1';

const finite = z.number().refine(Number.isFinite, 'must be finite');

/** `{from, to}` with `step` (default 1), `factor` or `count`; both ends included. */
export const rangeSchema = z
  .strictObject({
    from: finite,
    to: finite,
    step: finite.positive().optional(),
    factor: finite.gt(1).optional(),
    count: z.int().min(2).max(100_000).optional(),
  })
  .refine(({ from, to }) => from <= to, '`from` must not be above `to`')
  .refine(
    ({ step, factor, count }) => [step, factor, count].filter((each) => each !== undefined).length <= 1,
    'a range has one of step, factor and count',
  )
  .refine(({ from, factor }) => factor === undefined || from > 0, 'a range by factor starts above 0');

export type Range = z.infer<typeof rangeSchema>;

const axis = z.union([z.array(z.json()).min(1), rangeSchema]);
const values = z.record(z.string(), z.json());

/**
 * A sweep as data.
 *
 * - `base`: what all runs share; what is left out has the kind's default.
 * - `axes`: option to its values, a list or a range. `numbers.npu.dmaRate` sets the entry `npu.dmaRate` of the
 *   option `numbers`; `stack,memory` moves two options together, its values are pairs.
 * - `mode`: `cross` runs every combination; `one-at-a-time` the base, and then each value of each axis alone.
 * - `runs`: further runs, each laid over `base`.
 */
export const sweepSchema = z
  .strictObject({
    schema: z.literal(SWEEP_SCHEMA),
    /** What the sweep is for; shown, and no part of any run. */
    title: z.string().optional(),
    kind: z.string().min(1),
    mode: z.enum(['cross', 'one-at-a-time']).default('cross'),
    base: values.default({}),
    axes: z.record(z.string().min(1), axis).default({}),
    runs: z.array(values).default([]),
  })
  .refine(
    ({ axes, runs, base }) => Object.keys(axes).length > 0 || runs.length > 0 || Object.keys(base).length > 0,
    'a sweep needs axes, runs or a base',
  );

export type SweepFile = z.infer<typeof sweepSchema>;

/** @throws DataError naming the item that is wrong; EnvironmentError when the file cannot be read */
export function readSweep(path: string): SweepFile {
  return parseSweep(readJson(path), path);
}

/** @throws DataError; `origin` says where the data came from */
export function parseSweep(data: unknown, origin: string): SweepFile {
  const parsed = sweepSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DataError(`${origin}: ${issue.path.join('.') || 'sweep'}: ${issue.message}`);
}
