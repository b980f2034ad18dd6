import type { OpGraph } from '../../src/model/graph.js';
import { overrideProfile } from '../hardware/load-profile.js';
import { baseText } from '../hardware/quantity.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { Schedule } from '../machine/npu-unit.js';
import { seededRandom } from '../sensitivity/sensitivity.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { leastSquares, type Solution } from './least-squares.js';
import { type OpSample, Predictor } from './samples.js';

/** What an operator costs before its first chunk: a number of the stack that is fitted along. */
export const START_US = 'stack.opStartMs';
/** A start of 0 us has no logarithm. */
const FIRST_START_US = 0.5;

/** Points that a fit starts from: the base, and others within a factor of 2.7, for a surface of maxima has valleys. */
const STARTS = 8;
const START_LOG = 1;
/** Valleys that are followed with events, and how far apart two of them lie. */
const VALLEYS = 4;
const SAME_VALLEY = 0.02;
/** How often the closed form is corrected by the events. */
const CORRECTIONS = 4;
const SETTLED = 1e-4;
/** Operators shorter than this share of the longest of their graph count as if they were that long. */
const SHORT = 0.02;

/** A change of numbers: logarithm of the factor, by path. */
export type Logs = ReadonlyMap<string, number>;

/** Relative errors of the machine model as a function of some of its numbers. */
export class OperatorModel {
  readonly samples: readonly OpSample[];
  private readonly predictor: Predictor;
  private readonly scales: readonly number[];

  constructor(
    samples: readonly OpSample[],
    private readonly base: HardwareProfile,
    private readonly stack: SoftwareStack,
    private readonly schedule: Schedule,
  ) {
    this.predictor = new Predictor(samples, base, stack);
    this.samples = this.predictor.samples;
    this.scales = scalesOf(this.samples);
  }

  /**
   * Finds the way with the closed form, which costs next to nothing, and corrects it operator by operator with the
   * events until both meet (space mapping: Bandler and others, 1994). From every valley that is worth a look.
   *
   * @param pull weight of the logarithms themselves among the residuals: what the times leave open stays at the base
   * @returns best first; residuals and Jacobians of the times, without those of `pull`
   */
  solve(paths: readonly string[], pull: number): readonly Solution[] {
    const fitFrom = (start: readonly number[], correction: readonly number[]): Solution =>
      leastSquares((logs) => {
        const times = this.times(named(paths, logs), 'closed-form');
        return [...this.errors(times, correction), ...logs.map((log) => pull * log)];
      }, start);
    const rough = distinct(starts(paths.length).map((start) => fitFrom(start, [])));
    const fine = rough.slice(0, VALLEYS).map((solution) => this.corrected(paths, solution, fitFrom));
    const n = this.samples.length;
    return distinct(fine).map(({ logs, residuals, jacobian }) => ({
      logs,
      residuals: residuals.slice(0, n),
      jacobian: jacobian.slice(0, n),
    }));
  }

  /**
   * Squares of the errors when one number is held somewhere else and all others may follow: whether the times could be
   * explained with it. Corrected by the events once.
   */
  squaresWith(paths: readonly string[], from: Solution, at: number, log: number, pull: number): number {
    const free = (logs: readonly number[]): number[] => logs.toSpliced(at, 0, log);
    const errorsAt = (logs: readonly number[], correction: readonly number[]): number[] =>
      this.errors(this.times(named(paths, free(logs)), 'closed-form'), correction);
    let logs: readonly number[] = from.logs.toSpliced(at, 1);
    let errors: readonly number[] = [];
    let correction = this.correctionAt(paths, from.logs);
    for (let turn = 0; turn < 2; turn++) {
      const fixed = correction;
      const fit = leastSquares((moved) => [...errorsAt(moved, fixed), ...moved.map((x) => pull * x)], logs);
      logs = fit.logs;
      errors = fit.residuals.slice(0, this.samples.length);
      correction = this.correctionAt(paths, free(logs));
    }
    return errors.reduce((sum, value) => sum + value ** 2, 0);
  }

  /** What the closed form has to be multiplied by to give the times of the events. */
  private correctionAt(paths: readonly string[], logs: readonly number[]): number[] {
    if (this.schedule !== 'event') return this.samples.map(() => 1);
    const closed = this.times(named(paths, logs), 'closed-form');
    return this.times(named(paths, logs), 'event').map((us, at) => us / closed[at]);
  }

  private corrected(
    paths: readonly string[],
    rough: Solution,
    fitFrom: (start: readonly number[], correction: readonly number[]) => Solution,
  ): Solution {
    let solution = rough;
    for (let turn = 0; turn < CORRECTIONS && this.schedule === 'event'; turn++) {
      const before = solution.logs;
      solution = fitFrom(before, this.correctionAt(paths, before));
      if (distance(solution.logs, before) < SETTLED) break;
    }
    return solution;
  }

  /** Root mean square of the relative errors with these numbers changed. */
  rmsWith(changed: Logs): number {
    return rms(this.errors(this.times(changed, this.schedule), []));
  }

  startUs(log: number): number {
    return (this.stack.numbers.opStartMs * 1000 || FIRST_START_US) * Math.exp(log);
  }

  /** Times of the samples in us, start of the operator included. */
  private times(changed: Logs, schedule: Schedule): number[] {
    const overrides: Record<string, string> = {};
    let startUs = this.stack.numbers.opStartMs * 1000;
    for (const [path, log] of changed) {
      if (path === START_US) {
        startUs = this.startUs(log);
        continue;
      }
      const { value, dimension } = this.base.provenance[path];
      overrides[path] = baseText(value * Math.exp(log), dimension);
    }
    const profile = overrideProfile(this.base, overrides);
    return this.predictor.times(profile, schedule).map((us) => us + startUs);
  }

  /** @param correction by sample; empty is none */
  private errors(times: readonly number[], correction: readonly number[]): number[] {
    return this.samples.map(({ us }, at) => (times[at] * (correction[at] ?? 1) - us) / this.scales[at]);
  }
}

function starts(size: number): number[][] {
  const random = seededRandom(1);
  const point = () => Array.from({ length: size }, () => START_LOG * (2 * random() - 1));
  return [Array.from({ length: size }, () => 0), ...Array.from({ length: STARTS - 1 }, point)];
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, at) => Math.abs(value - b[at])));
}

/** One solution per valley, best first. */
function distinct(solutions: readonly Solution[]): Solution[] {
  const kept: Solution[] = [];
  for (const solution of [...solutions].sort((a, b) => rms(a.residuals) - rms(b.residuals))) {
    if (kept.every(({ logs }) => distance(logs, solution.logs) > SAME_VALLEY)) kept.push(solution);
  }
  return kept;
}

function named(paths: readonly string[], logs: readonly number[]): Logs {
  return new Map(paths.map((path, at) => [path, logs[at]]));
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
