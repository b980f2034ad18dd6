import type { OpGraph } from '../../src/model/graph.js';
import { overrideProfile } from '../hardware/load-profile.js';
import { baseText } from '../hardware/quantity.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { Fidelity } from '../machine/npu-unit.js';
import { STREAM_RATES } from '../machine/rates.js';
import { seededRandom } from '../sensitivity/sensitivity.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { certainties, leastSquares, type Solution } from './least-squares.js';
import { type OpSample, Predictor } from './samples.js';

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
  /** Start of an operator in us, which a profile has no place for; null when it cannot be told from 0. */
  readonly opStartUs: number | null;
  /** Root mean square of the relative residuals, with the base's numbers and with the fitted ones. */
  readonly rmsBefore: number;
  readonly rms: number;
  readonly n: number;
}

/** No timer of a device is trusted to less than this. */
const SMALLEST_DEVIATION = 0.01;
/** Times change by less than a thousandth when the number doubles: they say nothing about it. */
const SMALLEST_SENSITIVITY = 0.0015;
/** An operator is counted for a number when doubling it changes its time by some 2 %. */
const LEAST_EFFECT = 0.03;
const LARGEST_INFLATION = 1e4;
const LARGEST_ERROR = 0.1;
/** Points that a fit starts from: the base, and others within a factor of 2.7, for a surface of maxima has valleys. */
const STARTS = 12;
const START_LOG = 1;
/** How often the closed form is corrected by the events. */
const CORRECTIONS = 4;
const SETTLED = 1e-4;
/** Operators shorter than this share of the longest of their graph count as if they were that long. */
const SHORT = 0.02;
const START_US = 'stack.opStartMs';
/** A start of 0 us has no logarithm. */
const FIRST_START_US = 0.5;

/** Numbers that operator times may determine; of two that cannot be told apart, the later is kept. */
function candidates(stack: SoftwareStack): string[] {
  const [dma, besideMatrix] = STREAM_RATES[stack.weightStream];
  const decodes = stack.weightDecode === 'vector';
  const queues = stack.productActivations === 'queues' || stack.elementwise === 'queues';
  return [
    `npu.${dma}`,
    'npu.matrixMacsPerCycle',
    ...(decodes ? ['npu.dequantWeightsPerCycle'] : []),
    'npu.directReadRate',
    `npu.${besideMatrix}`,
    ...(queues ? ['npu.dmaQueuesRate'] : []),
    'npu.convertElementsPerCycle',
    START_US,
    'npu.dmaLatency',
  ];
}

/**
 * Numbers of a profile from operator times, by least squares on relative errors of the machine model. A number is
 * determined when its standard error is at most 10 %; others keep the value of `base`, and the fit is made again without
 * them, so that the numbers belong to the profile that will hold them.
 */
export function fitOperators(
  samples: readonly OpSample[],
  base: HardwareProfile,
  stack: SoftwareStack,
  fidelity: Fidelity = 'event',
): Fit {
  const model = new Model(new Predictor(samples, base, stack), base, stack, fidelity);
  const measured = model.samples.length > 0;
  const kept: UnfittedNumber[] = [];
  let paths = measured ? candidates(stack) : [];
  if (paths.length === 0)
    kept.push({ path: 'npu', because: 'the record has no operator that runs on the NPU' });
  let starts = model.starts(paths.length);
  for (;;) {
    const solution = model.solve(paths, starts);
    const sure = certainties(solution.jacobian, deviationOf(solution, paths.length));
    const weakest = weakestOf(paths, sure);
    if (weakest === null)
      return model.fit(
        paths,
        solution,
        sure.map(({ error }) => error),
        kept,
      );
    kept.push(weakest);
    const left = (_: unknown, at: number): boolean => paths[at] !== weakest.path;
    starts = [solution.logs.filter(left), paths.map(() => 0).filter(left)];
    paths = paths.filter(left);
  }
}

function deviationOf({ residuals }: Solution, parameters: number): number {
  const freedom = Math.max(1, residuals.length - parameters);
  return Math.max(
    SMALLEST_DEVIATION,
    Math.sqrt(residuals.reduce((sum, value) => sum + value ** 2, 0) / freedom),
  );
}

/** The number that is determined least, if it is not determined well enough. */
function weakestOf(paths: readonly string[], sure: ReturnType<typeof certainties>): UnfittedNumber | null {
  const worst = (measure: (at: number) => number): number =>
    paths.reduce((worstAt, _, at) => (measure(at) >= measure(worstAt) ? at : worstAt), 0);
  if (paths.length === 0) return null;
  const deaf = worst((at) => -(sure[at]?.sensitivity ?? 0));
  const path = (at: number): string => paths[at] ?? '';
  if ((sure[deaf]?.sensitivity ?? 0) < SMALLEST_SENSITIVITY) {
    return { path: path(deaf), because: 'no operator of the record depends on it' };
  }
  const tied = worst((at) => sure[at]?.inflation ?? 0);
  if ((sure[tied]?.inflation ?? 0) > LARGEST_INFLATION) {
    return {
      path: path(tied),
      because: 'the operators of the record do not tell it apart from other numbers',
    };
  }
  const vague = worst((at) => sure[at]?.error ?? 0);
  const error = sure[vague]?.error ?? 0;
  if (error <= LARGEST_ERROR) return null;
  return { path: path(vague), because: `its standard error would be ${(100 * error).toPrecision(2)} %` };
}

/** Relative errors of the machine model as a function of some of its numbers. */
class Model {
  readonly samples: readonly OpSample[];
  private readonly scales: readonly number[];

  constructor(
    private readonly predictor: Predictor,
    private readonly base: HardwareProfile,
    private readonly stack: SoftwareStack,
    private readonly fidelity: Fidelity,
  ) {
    this.samples = predictor.samples;
    this.scales = scalesOf(this.samples);
  }

  starts(size: number): number[][] {
    const random = seededRandom(1);
    const point = () => Array.from({ length: size }, () => START_LOG * (2 * random() - 1));
    return [Array.from({ length: size }, () => 0), ...Array.from({ length: STARTS - 1 }, point)];
  }

  /**
   * Finds the way with the closed form, which costs next to nothing, and corrects it operator by operator with the
   * events until both meet (space mapping: Bandler and others, 1994).
   */
  solve(paths: readonly string[], starts: readonly (readonly number[])[]): Solution {
    let correction = this.samples.map(() => 1);
    const fitFrom = (start: readonly number[]): Solution =>
      leastSquares((logs) => this.residuals(this.times(paths, logs, 'analytic'), correction), start);
    let solution = starts.map(fitFrom).reduce((a, b) => (rms(b.residuals) < rms(a.residuals) ? b : a));
    for (let turn = 0; turn < CORRECTIONS && this.fidelity === 'event'; turn++) {
      const closed = this.times(paths, solution.logs, 'analytic');
      const before = solution.logs;
      correction = this.times(paths, before, 'event').map((us, at) => us / (closed[at] ?? us));
      solution = fitFrom(before);
      if (solution.logs.every((log, at) => Math.abs(log - (before[at] ?? 0)) < SETTLED)) break;
    }
    return solution;
  }

  fit(
    paths: readonly string[],
    { logs, residuals, jacobian }: Solution,
    errors: readonly number[],
    kept: readonly UnfittedNumber[],
  ): Fit {
    const n = this.samples.length;
    const numbers = paths.flatMap((path, at) => {
      if (path === START_US) return [];
      const { value: before } = this.base.provenance[path]!;
      const value = before * Math.exp(logs[at] ?? 0);
      const used = jacobian.filter((row) => Math.abs(row[at] ?? 0) > LEAST_EFFECT).length;
      return [{ path, before, value, error: errors[at] ?? 0, n: used }];
    });
    const started = paths.indexOf(START_US);
    return {
      ...{ numbers, n, rms: rms(residuals), rmsBefore: this.rmsOf(this.times([], [], this.fidelity)) },
      kept: kept.filter(({ path }) => path !== START_US),
      opStartUs: started < 0 ? null : this.startUs(logs[started] ?? 0),
    };
  }

  private rmsOf(times: readonly number[]): number {
    return rms(this.residuals(times, []));
  }

  private startUs(log: number | null): number {
    const own = this.stack.numbers.opStartMs * 1000;
    return log === null ? own : (own || FIRST_START_US) * Math.exp(log);
  }

  /** Times of the samples in us, start of the operator included. */
  private times(paths: readonly string[], logs: readonly number[], fidelity: Fidelity): number[] {
    const overrides: Record<string, string> = {};
    let startUs = this.startUs(null);
    paths.forEach((path, at) => {
      const log = logs[at] ?? 0;
      if (path === START_US) {
        startUs = this.startUs(log);
        return;
      }
      const { value, dimension } = this.base.provenance[path]!;
      overrides[path] = baseText(value * Math.exp(log), dimension);
    });
    const profile = overrideProfile(this.base, overrides);
    return this.predictor.times(profile, fidelity).map((us) => us + startUs);
  }

  private residuals(times: readonly number[], correction: readonly number[]): number[] {
    return this.samples.map(
      ({ us }, at) => ((times[at] ?? 0) * (correction[at] ?? 1) - us) / (this.scales[at] ?? 1),
    );
  }
}

/** What an error of each sample is measured by: its time, or a share of the longest one of its graph. */
function scalesOf(samples: readonly OpSample[]): number[] {
  const longest = new Map<OpGraph, number>();
  for (const { graph, us } of samples) longest.set(graph, Math.max(us, longest.get(graph) ?? 0));
  return samples.map(({ graph, us }) => Math.max(us, SHORT * (longest.get(graph) ?? us)));
}

function rms(values: readonly number[]): number {
  return values.length === 0
    ? 0
    : Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
}
