import type { HardwareProfile } from '../hardware/schema.js';
import type { Schedule } from '../machine/npu-unit.js';
import { STREAM_RATES } from '../machine/rates.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { type Certainty, certainties } from './least-squares.js';
import { type Logs, OperatorModel, START_US } from './operator-model.js';
import type { OpSample } from './samples.js';

/** A number that a device's times determine. */
export interface FittedNumber {
  /** e.g. `npu.dmaRate`. */
  readonly path: string;
  /** In base units. */
  readonly before: number;
  readonly value: number;
  /** Relative standard error. */
  readonly error: number;
  /** Operators whose time depends on it. */
  readonly n: number;
}

export interface UnfittedNumber {
  readonly path: string;
  readonly because: string;
}

export interface Fit {
  readonly numbers: readonly FittedNumber[];
  readonly kept: readonly UnfittedNumber[];
  /** Start of an operator in us, which a profile has no place for; null when it is not determined. */
  readonly opStartUs: number | null;
  /**
   * Root mean square of the relative errors: with the base's numbers, with the determined ones in their place, and with
   * all numbers as the times would like them best.
   */
  readonly rmsBefore: number;
  readonly rms: number;
  readonly rmsBest: number;
  readonly n: number;
}

/** No timer of a device is trusted to less than this. */
const SMALLEST_DEVIATION = 0.01;
/** What is known of a number before: it lies within a factor of two of the base, in two of three cases. */
const PRIOR_DEVIATION = Math.log(2);
const LARGEST_ERROR = 0.1;
/** Times change by less than a thousandth when the number doubles: they say nothing about it. */
const SMALLEST_SENSITIVITY = 0.0015;
/** An operator is counted for a number when doubling it changes its time by some 2 %. */
const LEAST_EFFECT = 0.03;
/** Correlation from which two numbers count as one. */
const TIED = 0.8;

/** Another valley explains the times as well when the squares differ by less than that of two deviations. */
const LIKELY = 4;

/** Changes, as logarithms, at which a number that seems determined is tried: about 13 and 35 % either way. */
const ELSEWHERE = [0.12, -0.12, 0.3, -0.3];

function sumOfSquares(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value ** 2, 0);
}

/** Numbers that operator times may determine. */
function candidates(stack: SoftwareStack): string[] {
  const [dma, besideMatrix] = STREAM_RATES[stack.weightStream];
  const queues = stack.productActivations === 'queues' || stack.elementwise === 'queues';
  return [
    `npu.${dma}`,
    `npu.${besideMatrix}`,
    'npu.matrixMacsPerCycle',
    ...(stack.weightDecode === 'vector' ? ['npu.dequantWeightsPerCycle'] : []),
    ...(queues ? ['npu.dmaQueuesRate'] : []),
    'npu.convertElementsPerCycle',
    'npu.directReadRate',
    'npu.dmaLatency',
    START_US,
  ];
}

/**
 * Numbers of a profile from operator times, by least squares on relative errors of the machine model. All numbers that
 * may matter are fitted together, and one is determined when its standard error, with all others unknown, is at most
 * 10 %: so none is read off times that another number, or another valley of the surface, would explain as well.
 */
export function fitOperators(
  samples: readonly OpSample[],
  base: HardwareProfile,
  stack: SoftwareStack,
  schedule: Schedule = 'event',
): Fit {
  const model = new OperatorModel(samples, base, stack, schedule);
  const n = model.samples.length;
  if (n === 0) {
    const because = 'the record has no operator that runs on the NPU';
    return {
      numbers: [],
      kept: [{ path: 'npu', because }],
      opStartUs: null,
      rmsBefore: 0,
      rms: 0,
      rmsBest: 0,
      n,
    };
  }
  const paths = candidates(stack);
  const pull = SMALLEST_DEVIATION / PRIOR_DEVIATION;
  const solutions = model.solve(paths, pull);
  const [best] = solutions;
  const { logs, residuals, jacobian } = best;
  const squares = sumOfSquares(residuals);
  const deviation = Math.max(SMALLEST_DEVIATION, Math.sqrt(squares / Math.max(1, n - paths.length)));
  const likely = squares + LIKELY * deviation ** 2;
  const near = solutions.filter((other) => sumOfSquares(other.residuals) < likely);
  const sure = certainties(jacobian, deviation, PRIOR_DEVIATION).map((certainty, at) => {
    const log = logs[at];
    const apart = Math.max(...near.map((other) => Math.abs(other.logs[at] - log)));
    const error = Math.hypot(certainty.error, apart);
    if (error > LARGEST_ERROR) return { ...certainty, error };
    // The errors are those of one valley. Another may lie anywhere: it is looked for where it would matter.
    const elsewhere = ELSEWHERE.find((step) => model.squaresWith(paths, best, at, log + step, pull) < likely);
    return { ...certainty, error: elsewhere === undefined ? error : Math.abs(elsewhere) };
  });
  const determined: Logs = new Map(
    paths.flatMap((path, at) => ((sure[at]?.error ?? 1) <= LARGEST_ERROR ? [[path, logs[at]]] : [])),
  );
  const numbers: FittedNumber[] = [];
  const kept: UnfittedNumber[] = [];
  paths.forEach((path, at) => {
    if (path === START_US) return;
    const log = determined.get(path);
    if (log === undefined) {
      kept.push({ path, because: reasonOf(sure[at], paths) });
      return;
    }
    const { value: before } = base.provenance[path];
    const used = jacobian.filter((row) => Math.abs(row[at]) > LEAST_EFFECT).length;
    numbers.push({ path, before, value: before * Math.exp(log), error: sure[at]?.error ?? 0, n: used });
  });
  const start = determined.get(START_US);
  return {
    numbers,
    kept,
    n,
    opStartUs: start === undefined ? null : model.startUs(start),
    rmsBefore: model.rmsWith(new Map()),
    rms: model.rmsWith(determined),
    rmsBest: Math.sqrt(squares / n),
  };
}

function reasonOf(certainty: Certainty | undefined, paths: readonly string[]): string {
  if (certainty === undefined || certainty.sensitivity < SMALLEST_SENSITIVITY) {
    return 'no operator of the record depends on it';
  }
  const { error, partner, correlation } = certainty;
  const vague = `its standard error would be ${(100 * error).toPrecision(2)} %`;
  const other = paths[partner];
  if (other === undefined || Math.abs(correlation) < TIED) return vague;
  return `${vague}: the operators of the record hardly tell it apart from ${other}`;
}
