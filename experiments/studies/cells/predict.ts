import { type Energy, energyOf } from '../../../sim/energy/energy.js';
import { baseText } from '../../../sim/hardware/quantity.js';
import { formSpread } from '../../../sim/interval/form.js';
import { spreadInterval } from '../../../sim/interval/interval.js';
import type { MemoryMode } from '../../../sim/memory/runtime.js';
import { latinHypercube } from '../../../sim/sensitivity/latin-hypercube.js';
import { type Parameter, parametersOf } from '../../../sim/sensitivity/parameters.js';
import { seededRandom } from '../../../sim/sensitivity/sensitivity.js';
import { denoisingShape, steadyMs } from '../../../sim/workload/steady-step.js';
import type { StepTiming } from '../../../src/decode/method/timer.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import { parsePolicySpec } from '../../../src/decode/spec.js';
import { UsageError } from '../../../src/errors.js';
import { type PassShape, PREFIX_SET } from '../../../src/pass/shape.js';
import { mean } from '../../../src/score/statistics/samples.js';
import type { Workbench } from '../../comparison/workbench.js';
import { inTurn } from '../../lab/decode-statistics.js';
import { openChip } from '../../lab/open.js';
import { type ChipSetup, chipSchema, deciderSchema } from '../../lab/setup.js';

/** How answers are made: a policy of a diffusion model by name, or one token after the other. */
export interface Method {
  readonly policy: string | 'one-by-one';
  readonly costModel: string;
  readonly stack: string;
  /** The first is the prediction, draws take turns: what a source does not say. */
  readonly memory: readonly [MemoryMode, ...MemoryMode[]];
  /** Whether the number of passes depends on how sure the decider is: then the prediction is a mean over cases. */
  readonly decided?: boolean;
  /** The same method under another reading of its source; the interval holds both. */
  readonly otherPolicy?: string;
}

export interface Question {
  readonly genLength: number;
  readonly promptTokens: number;
  readonly promptRange: readonly [number, number];
}

/** A value and where it may lie. */
export interface Predicted {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface PredictedAnswer {
  readonly seconds: Predicted;
  /** Above idle. */
  readonly joules: Predicted;
  /** Joules over seconds. */
  readonly watts: Predicted;
}

/** Draws behind an interval. */
export const DRAWS = 8;

/**
 * Where in the range of its length a prompt may lie: each with every draw. Drawn beside the numbers, eight of them could by chance lie
 * against a number that matters, and an answer would be surer for a prompt that is known less.
 */
const PROMPT_SHARES = [1 / 8, 3 / 8, 5 / 8, 7 / 8] as const;

/**
 * Standard deviation of the ln of the number of passes where a decider's sureness sets it, beside that of the form of the model
 * (sim/interval/form.ts). It is wide because one cell is known: Table 6 has a full system slower than anything its own Figure 5b
 * implies (`reproduce table6`).
 */
const SURENESS = 0.6;

/**
 * Answers of one method on one chip, timed. An interval is the middle 80 % of `DRAWS` points of a Latin hypercube over every number
 * of chip and stack that has a range, with every share of the range of the prompt's length, each spread by the form of the model. What a
 * draw's numbers do is found on one step in the middle of the answer; what its prompt does, between the answers at both ends of the prompts' range.
 */
export async function predictAnswers(
  bench: Workbench,
  method: Method,
  profile: string,
  questions: readonly Question[],
): Promise<PredictedAnswer[]> {
  const { costModel, stack, memory } = method;
  const parts = openChip({ profile, stack, numbers: {} });
  const parameters = parametersOf(parts.profile, parts.stack, true);
  const form = formSpread(parts.stack, method.policy === 'one-by-one' ? ['a token at a time'] : []);
  const points = latinHypercube(DRAWS, parameters.length, seededRandom(bench.options.seed));
  const chip = (mode: MemoryMode, numbers: ChipSetup['numbers']): ChipSetup =>
    chipSchema.parse({ costModel, quant: bench.options.quant, profile, stack, memory: mode, numbers });
  const usual = chip(memory[0], {});
  const answers = await inTurn(
    questions,
    async ({ genLength, promptTokens, promptRange: [short, long] }) => ({
      middle: await costOf(bench, method, usual, genLength, promptTokens),
      short: await costOf(bench, method, usual, genLength, short),
      long: await costOf(bench, method, usual, genLength, long),
      other:
        method.otherPolicy === undefined
          ? null
          : await costOf(bench, { ...method, policy: method.otherPolicy }, usual, genLength, promptTokens),
    }),
  );
  const stepMs = (setup: ChipSetup): number[] => {
    const machine = bench.lab.machine(setup);
    return questions.map((question) => steadyMs(machine, middleStep(method, question)));
  };
  const base = stepMs(usual);
  const drawn = points.flatMap((point, i) => {
    const setup = chip(memory[i % memory.length], numbersAt(parameters, point));
    try {
      return [stepMs(setup).map((ms, at) => ms / base[at])];
    } catch (error) {
      // A window in which the answer that was measured could not have run is not the phone's.
      if (error instanceof UsageError) return [];
      throw error;
    }
  });
  if (drawn.length === 0)
    throw new UsageError(`${costModel} fits none of the windows that ${profile} may have`);
  const deviation = Math.hypot(form.deviation, method.decided === true ? SURENESS : 0);
  return answers.map(({ middle, short, long, other }, at) => {
    const readings = other === null ? [1] : [1, other.seconds / middle.seconds];
    const interval = (
      value: number,
      low: (of: AnswerCost) => number,
      high: (of: AnswerCost) => number,
    ): Predicted => {
      const ends = drawn.flatMap((ratios) =>
        PROMPT_SHARES.flatMap((share) =>
          [low, high].map((of) => between([of(short), of(long)], share) * ratios[at]),
        ),
      );
      const logs = ends.flatMap((end) => readings.map((reading) => Math.log(end * reading)));
      return { value, ...spreadInterval(value, logs, deviation) };
    };
    const seconds = interval(
      middle.seconds,
      (of) => of.seconds,
      (of) => of.seconds,
    );
    const joules = interval(
      middle.energy.joules,
      (of) => of.energy.range[0],
      (of) => of.energy.range[1],
    );
    const watts = (of: AnswerCost, joule: number): number => joule / of.seconds;
    const { energy } = middle;
    return {
      seconds,
      joules,
      watts: {
        value: watts(middle, energy.joules),
        low: watts(middle, energy.range[0]),
        high: watts(middle, energy.range[1]),
      },
    };
  });
}

/** A step that stands for the answer: half of it is there. */
function middleStep({ policy }: Method, { genLength, promptTokens }: Question): PassShape {
  if (policy === 'llada') return denoisingShape(promptTokens + genLength);
  const rows = policy === 'one-by-one' ? 1 : BLOCK;
  return denoisingShape(rows, promptTokens + Math.floor(genLength / 2));
}

/** Rows of a step of the paper's policies (arXiv:2606.13740, section 5.1). */
const BLOCK = 32;

interface AnswerCost {
  readonly seconds: number;
  readonly energy: Energy;
}

/** Mean over the cases, of which a method that is not decided has one. */
async function costOf(
  bench: Workbench,
  method: Method,
  chip: ChipSetup,
  genLength: number,
  prompt: number,
): Promise<AnswerCost> {
  bench.hooks.signal?.throwIfAborted();
  const found = await inTurn(
    Array.from({ length: method.decided ? CASES : 1 }, (_, i) => i),
    async (index) =>
      method.policy === 'one-by-one'
        ? oneByOne(bench, chip, prompt, genLength)
        : denoised(bench, chip, method.policy, prompt, index, genLength),
  );
  const { profile } = bench.lab.machine(chip).options;
  const seconds = found.map(
    (timings) => timings.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0) / 1000,
  );
  const energies = found.map((timings) => energyOf(timings, profile));
  return {
    seconds: mean(seconds),
    energy: {
      ...energies[0],
      joules: mean(energies.map(({ joules }) => joules)),
      range: [mean(energies.map(({ range }) => range[0])), mean(energies.map(({ range }) => range[1]))],
    },
  };
}

/** Cases of a method whose passes depend on the decider. */
const CASES = 4;

async function denoised(
  bench: Workbench,
  chip: ChipSetup,
  policy: string,
  prompt: number,
  index: number,
  genLength: number,
): Promise<StepTiming[]> {
  const { timings } = await bench.lab.solve(
    {
      decider: deciderSchema.parse({ workload: `synthetic:paper,prompt=${prompt}` }),
      seed: bench.options.seed,
      index,
      genLength,
      spec: parsePolicySpec(policySpecByName(policy)),
      clock: chip,
      costs: chip,
    },
    bench.hooks.signal,
  );
  return [...timings!];
}

/** Tokens that one timed pass stands for: what a pass attends to grows by one position a token, its time in a line. */
const STRIDE = 8;

/** A prompt pass, then a pass of one row for every further token. */
function oneByOne(bench: Workbench, chip: ChipSetup, prompt: number, genLength: number): StepTiming[] {
  const machine = bench.lab.machine(chip);
  const pass = (rows: number, context: number) =>
    machine.timePass({
      rows,
      kvSets: context === 0 ? [] : [{ name: PREFIX_SET, length: context }],
      logitsRows: 1,
      masked: rows > 1,
    });
  const timings = [pass(prompt, 0)];
  for (let done = 1; done < genLength; done += STRIDE) {
    const tokens = Math.min(STRIDE, genLength - done);
    const one = pass(1, prompt + done + Math.floor(tokens / 2));
    for (let i = 0; i < tokens; i++) timings.push(one);
  }
  return timings;
}

function numbersAt(parameters: readonly Parameter[], point: readonly number[]): ChipSetup['numbers'] {
  return Object.fromEntries(
    parameters.map(({ name, dimension, range, integral }, i) => {
      const value = between(range, point[i]);
      return [
        name.startsWith('stack.') ? name : `profile.${name}`,
        baseText(integral ? Math.round(value) : value, dimension),
      ];
    }),
  );
}

/** Ranges whose ends differ tenfold or more are of a magnitude: the middle is the geometric one. */
function between([low, high]: readonly [number, number], share: number): number {
  return low > 0 && high / low >= 10 ? low * (high / low) ** share : low + share * (high - low);
}
