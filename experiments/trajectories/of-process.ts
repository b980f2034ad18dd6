import { wilson } from '../../src/score/statistics/proportion.js';
import { caseOf, PROMPT_TOKENS } from '../lab/deciders/synthetic/decider.js';
import { FLOOR, streamAt, TOKENS } from '../lab/deciders/synthetic/engine.js';
import { plainThreshold } from '../lab/deciders/synthetic/plain-threshold.js';
import {
  confidenceOf,
  contextOf,
  latentAt,
  type ProcessParameters,
  RIGHT,
} from '../lab/deciders/synthetic/process.js';
import { type Emergence, STEPS_PCT, stepAt } from './emergence.js';

/** Above every confidence: one token per step. */
const ONE_PER_STEP = 1.01;

/**
 * Positions that an answer needs, all of them (assumed): the number at the end of a solution is one decision, written
 * in one to three tokens. The curve is that of one, the interval reaches to three.
 */
const ANSWER_POSITIONS = [1, 2, 3] as const;

/** What an answer of the process is, and how often it is right at the end. */
export interface ProcessAnswers {
  readonly parameters: ProcessParameters;
  /** Mean tokens before the end of text; null: the text fills the answer. */
  readonly textTokens: number | null;
  /** Published share of right answers at one token per step, in percent; null where none is published for the data set. */
  readonly accuracyPct: number | null;
  readonly seed: number;
  readonly cases: number;
  readonly genLength: number;
  readonly blockLength: number;
}

/** Of each step, how many cases predicted the right answer; with the step that its text ends in. */
interface Settled {
  readonly right: readonly boolean[];
  readonly textEnd: number;
}

/**
 * Where the process has its answer: the last positions of the text. A prediction there is right from the confidence on
 * at which the position is settled, as everywhere in the process.
 */
function settle(of: ProcessAnswers, index: number, positions: number): Settled {
  const { parameters, textTokens, seed, genLength, blockLength } = of;
  const one = caseOf({ seed, promptTokens: PROMPT_TOKENS, textTokens }, index);
  const textEnd = Math.min(genLength, one.textLength);
  const answer = Array.from({ length: Math.min(positions, textEnd) }, (_, back) => textEnd - 1 - back);
  const { commits } = plainThreshold(parameters, one, genLength, blockLength, ONE_PER_STEP);
  const latents = new Map(
    answer.map((at) => [at, latentAt(one.seed, streamAt(PROMPT_TOKENS + at, PROMPT_TOKENS), TOKENS)]),
  );
  const weights = new Float64Array(genLength);
  const decided = new Map<number, boolean>();
  const right = commits.map(({ offset, confidence }, step) => {
    const { gap, density } = contextOf(weights, parameters.densityScale);
    const isRight = answer.every((at) => {
      const latent = latents.get(at);
      if (latent === undefined || decided.has(at)) return decided.get(at) === true;
      const row = { gap: gap[at], density: density[at], afterEnd: false, fed: false };
      return confidenceOf(parameters, latent, row, FLOOR) >= latent.settledAt;
    });
    const at = Math.floor(step / blockLength) * blockLength + offset;
    const { settledAt } = latentAt(one.seed, streamAt(PROMPT_TOKENS + at, PROMPT_TOKENS), TOKENS);
    const good = at >= textEnd || confidence >= settledAt;
    weights[at] = good ? RIGHT : parameters.wrongWeight;
    decided.set(at, good);
    return isRight;
  });
  return { right, textEnd };
}

/** Means over the cases: share right at each share of the steps, and share lost. */
interface Curve {
  readonly right: readonly number[];
  readonly lost: number;
}

/**
 * The process says when a prediction settles, not that a model can be wrong for good. The published accuracy says how often it is:
 * such an answer is taken to be led astray at a step of its text that is equally likely to be any (assumed), and to be wrong from
 * there on; until then it settles like the others.
 */
function curve(of: ProcessAnswers, cases: readonly Settled[]): Curve {
  const settledAtEnd = cases.filter(({ right }) => right.at(-1)).length / cases.length;
  const solved = of.accuracyPct === null ? 1 : Math.min(1, of.accuracyPct / 100 / settledAtEnd);
  const right = STEPS_PCT.map((share) => {
    const sum = cases.reduce((total, { right: each, textEnd }) => {
      const step = stepAt(share, each.length);
      const unspoilt = Math.max(0, 1 - (step + 1) / textEnd);
      return total + (each[step] ? solved + (1 - solved) * unspoilt : 0);
    }, 0);
    return sum / cases.length;
  });
  const lost = cases.reduce((sum, { right: each, textEnd }) => {
    const first = each.indexOf(true);
    if (first < 0) return sum;
    if (each.at(-1) !== true) return sum + 1;
    return sum + (1 - solved) * Math.max(0, 1 - (first + 1) / textEnd);
  }, 0);
  return { right, lost: lost / cases.length };
}

/** The emergence curve of the process: its form, its text lengths and its published accuracy; nothing is fitted to a curve. */
export function processEmergence(of: ProcessAnswers): Emergence {
  const curves = ANSWER_POSITIONS.map((positions) =>
    curve(
      of,
      Array.from({ length: of.cases }, (_, index) => settle(of, index, positions)),
    ),
  );
  const [own] = curves;
  const spread = (values: readonly number[]): { low: number; high: number } => {
    const intervals = values.map((share) => wilson(Math.round(share * of.cases), of.cases));
    return {
      low: 100 * Math.min(...intervals.map(({ low }) => low)),
      high: 100 * Math.max(...intervals.map(({ high }) => high)),
    };
  };
  const at = STEPS_PCT.map((_, point) => spread(curves.map(({ right }) => right[point])));
  const lost = spread(curves.map((each) => each.lost));
  return {
    stepsPct: STEPS_PCT,
    rightPct: own.right.map((share) => 100 * share),
    lowPct: at.map(({ low }) => low),
    highPct: at.map(({ high }) => high),
    rightThenWrongPct: 100 * own.lost,
    rightThenWrongLowPct: lost.low,
    rightThenWrongHighPct: lost.high,
    answers: of.cases,
  };
}
