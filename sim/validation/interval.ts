import { type Chip, openChip } from '../open-machine.js';
import { latinHypercube } from '../sensitivity/latin-hypercube.js';
import { type Parameter, parametersOf, withValues } from '../sensitivity/parameters.js';
import { seededRandom } from '../sensitivity/sensitivity.js';
import { formOf } from './form.js';
import type { Case } from './interpret.js';
import { type Draw, predict } from './predict.js';

/** Between the tenth and the ninetieth percentile. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Share of predictions that should lie in an interval. */
export const COVERAGE = 0.8;

/** Points of the hypercube of a row: enough for its spread, few enough for a file of rows to take a minute. */
const POINTS = 16;
const SEED = 1;

/**
 * How much slower a run may be than at top clocks, least and most: assumed. What heat leaves of a CPU is a number of its stack
 * (`cpuSustained`), with a range of its own.
 */
const HEAT = { cpu: [1, 1], gpu: [1, 1.2], npu: [1, 1.1] } as const;

/** What varies besides the numbers of chip and stack: one coordinate each. */
const CONDITIONS = ['chip', 'stack', 'bytes', 'length', 'energy', 'heat'] as const;

/** ln of the predictions over everything that a row leaves open and every number that has a range. */
export function samples(wanted: Case, points = POINTS): number[] {
  const chips = new Map<string, { chip: Chip; parameters: readonly Parameter[] }>();
  const open = (profile: string, stack: string) => {
    const key = `${profile} ${stack}`;
    let found = chips.get(key);
    if (found === undefined) {
      const chip = openChip({ profile, stack });
      const parameters = parametersOf(chip.profile, chip.stack, true).filter(
        ({ name }) => !isGiven(name, wanted),
      );
      found = { chip, parameters };
      chips.set(key, found);
    }
    return found;
  };
  const widest = Math.max(
    ...wanted.profiles.flatMap((profile) =>
      wanted.stacks.map((stack) => open(profile, stack).parameters.length),
    ),
  );
  const cube = latinHypercube(points, CONDITIONS.length + widest, seededRandom(SEED));
  return cube.map((point) => {
    const share = (condition: (typeof CONDITIONS)[number]): number => point[CONDITIONS.indexOf(condition)];
    const pick = <T>(from: readonly T[], at: number): T =>
      from[Math.min(from.length - 1, Math.floor(at * from.length))];
    const { chip, parameters } = open(
      pick(wanted.profiles, share('chip')),
      pick(wanted.stacks, share('stack')),
    );
    const values = parameters.map(
      ({ range: [low, high] }, at) => low + point[CONDITIONS.length + at] * (high - low),
    );
    const draw: Draw = {
      chip: withValues(
        chip,
        parameters.map((parameter, at) => [parameter, values[at]]),
      ),
      bytes: between(wanted.bytesScale, share('bytes')),
      lengthShare: share('length'),
      energyShare: share('energy'),
      slowdown: between(heatOf(chip), share('heat')),
    };
    return Math.log(predict(wanted, draw).value);
  });
}

function isGiven(name: string, { threads, passRows }: Case): boolean {
  return (
    (name === 'stack.cpuThreads' && threads !== null) || (name === 'stack.prefillRows' && passRows !== null)
  );
}

const between = ([low, high]: readonly [number, number], share: number): number => low + share * (high - low);

function heatOf({ stack }: Chip): readonly [number, number] {
  if (stack.placement === 'all-cpu') return HEAT.cpu;
  return stack.placement === 'embedding-cpu-rest-gpu' ? HEAT.gpu : HEAT.npu;
}

/**
 * The interval of a prediction: its samples, each spread by the form of the model, a lognormal factor. It contains the
 * prediction at the defaults.
 * @param logs as `samples` gives them
 */
export function intervalOf(wanted: Case, predicted: number, logs: readonly number[]): Interval {
  return spreadInterval(predicted, logs, formOf(wanted).deviation);
}

/**
 * The middle 80 % of a mixture of lognormals, widened to hold as much of what the form of the model allows around the value at the
 * defaults: they are what a row most likely means, and may lie at an end of what it leaves open.
 * @param logs ln of samples
 * @param deviation of ln around each of them
 */
export function spreadInterval(value: number, logs: readonly number[], deviation: number): Interval {
  const tail = (1 - COVERAGE) / 2;
  const own = [Math.log(value)];
  const end = (share: number, of: readonly number[]): number => Math.exp(quantile(of, deviation, share));
  return {
    low: Math.min(end(tail, own), end(tail, logs)),
    high: Math.max(end(1 - tail, own), end(1 - tail, logs)),
  };
}

/** Quantile of a mixture of normals of one deviation around the samples, by halving. */
function quantile(centres: readonly number[], deviation: number, share: number): number {
  let low = Math.min(...centres) - 6 * deviation;
  let high = Math.max(...centres) + 6 * deviation;
  for (let halvings = 0; halvings < 60; halvings++) {
    const middle = (low + high) / 2;
    const below =
      centres.reduce((sum, centre) => sum + normalShare((middle - centre) / deviation), 0) / centres.length;
    if (below < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Share of a normal distribution below z (Abramowitz and Stegun 26.2.17, within 1e-7). */
function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z > 0 ? 1 - tail : tail;
}
