import { UsageError } from '../../src/errors.js';
import { type Range, rangeSchema, type SweepFile } from './sweep-file.js';

/** Options of one run, before the kind's defaults. */
export type RawConfig = Readonly<Record<string, unknown>>;

/** More runs than this are a slip of the pen, not a sweep. */
const MAX_RUNS = 1_000_000;

/**
 * The runs of a sweep in order: the last axis moves fastest; then the list. Equal runs are not removed here.
 * @throws UsageError for axes that contradict the base or each other, or too many runs
 */
export function expandSweep(sweep: SweepFile): RawConfig[] {
  const axes = Object.entries(sweep.axes).map(([key, values]) => axisOf(key, values));
  const bare = axes.length === 0 && sweep.runs.length > 0;
  const swept = bare ? [] : sweep.mode === 'cross' ? cross(axes) : oneAtATime(axes);
  return [...swept, ...sweep.runs.map((run) => Object.entries(run))].map((changes) =>
    changes.reduce<RawConfig>((config, [path, value]) => withOption(config, path, value), sweep.base),
  );
}

type Change = readonly [path: string, value: unknown];
/** What each value of an axis changes. */
type Axis = readonly (readonly Change[])[];

function axisOf(key: string, given: readonly unknown[] | Range): Axis {
  const range = rangeSchema.safeParse(given);
  const values: readonly unknown[] = range.success ? rangeValues(range.data) : (given as readonly unknown[]);
  const paths = key.split(',').map((path) => path.trim());
  if (paths.length === 1) return values.map((value) => [[key, value]]);
  return values.map((value) => {
    if (!Array.isArray(value) || value.length !== paths.length) {
      throw new UsageError(`axis "${key}": each value must be a list of ${paths.length}`);
    }
    return paths.map((path, at): Change => [path, value[at]]);
  });
}

/** Both ends are included as far as the steps hit them; rounding noise is cut off. */
export function rangeValues({ from, to, step, factor, count }: Range): number[] {
  const clean = (value: number): number => Number(value.toPrecision(12));
  if (count !== undefined) {
    return Array.from({ length: count }, (_, i) => clean(from + ((to - from) * i) / (count - 1)));
  }
  const values: number[] = [];
  const limit = to * (1 + Math.sign(to) * 1e-12);
  const at = (i: number): number => clean(factor === undefined ? from + i * (step ?? 1) : from * factor ** i);
  for (let value = at(0); value <= limit; value = at(values.length)) {
    values.push(value);
    if (values.length > MAX_RUNS) throw new UsageError(`a range has more than ${MAX_RUNS} values`);
  }
  return values;
}

function cross(axes: readonly Axis[]): Change[][] {
  const total = axes.reduce((product, axis) => product * axis.length, 1);
  if (total > MAX_RUNS) throw new UsageError(`the axes make ${total} runs, more than ${MAX_RUNS}`);
  return axes.reduce<Change[][]>(
    (runs, axis) => runs.flatMap((run) => axis.map((changes) => [...run, ...changes])),
    [[]],
  );
}

function oneAtATime(axes: readonly Axis[]): Change[][] {
  return [[], ...axes.flat().map((changes) => [...changes])];
}

/** `memory` sets an option; `numbers.npu.dmaRate` the entry `npu.dmaRate` of the option `numbers`. */
function withOption(config: RawConfig, path: string, value: unknown): RawConfig {
  const dot = path.indexOf('.');
  if (dot < 0) return { ...config, [path]: value };
  const [option, entry] = [path.slice(0, dot), path.slice(dot + 1)];
  const below = config[option] ?? {};
  if (typeof below !== 'object' || Array.isArray(below)) {
    throw new UsageError(`"${path}": option ${option} has no entries`);
  }
  return { ...config, [option]: { ...below, [entry]: value } };
}
