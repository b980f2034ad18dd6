import { uniformAt } from '../../../../src/decode/rules/random.js';
import { PAPER_PROFILE } from '../name.js';
import { caseOf, PROMPT_TOKENS } from './decider.js';
import type { FitOptions } from './fit-options.js';
import { type Minimum, nelderMead } from './nelder-mead.js';
import { type FitRun, OBJECTIVE_TEXT, objective, plainly, residuals } from './objective.js';
import { plainThreshold } from './plain-threshold.js';
import type { ProcessParameters } from './process.js';
import type { ProcessFile, ProfileEntry } from './profiles.js';
import { PUBLISHED_TASKS, TASK_SETTING } from './published-tasks.js';

/** What the two figures say nothing about, and what was read off them. */
const ASSUMED = {
  knee: [
    '1.386',
    'logit of 0.8: between 0.5 and 0.8 the tokens per step of Figure 5b halve, between 0.8 and 0.95 they fall by a quarter only',
  ],
  endBonus: ['4', 'end-of-text tokens commit almost for free; the size is not published'],
  selfBonus: [
    '0',
    'a fed token is re-scored as if it were masked: no published figure shows how much it speaks for itself',
  ],
} as const;

type Free = Exclude<keyof ProcessParameters, keyof typeof ASSUMED>;

/** Free parameters: range of the starting points (where a wide search ended), first step (on the scale that is searched), and that scale. */
const FREE: readonly {
  name: Free;
  from: readonly [number, number];
  step: number;
  scale: 'plain' | 'log' | 'logit';
}[] = [
  { name: 'bias', from: [0.5, 1.6], step: 0.5, scale: 'plain' },
  { name: 'gapWeight', from: [0.3, 0.6], step: 0.5, scale: 'log' },
  { name: 'densityWeight', from: [2.8, 5], step: 0.3, scale: 'log' },
  { name: 'densityScale', from: [6, 15], step: 0.3, scale: 'log' },
  { name: 'easyShare', from: [0.35, 0.85], step: 0.5, scale: 'logit' },
  { name: 'easyBonus', from: [2, 3], step: 0.3, scale: 'log' },
  { name: 'spread', from: [0.35, 0.7], step: 0.3, scale: 'log' },
  { name: 'sharpness', from: [2.5, 5], step: 0.3, scale: 'log' },
  { name: 'wrongWeight', from: [0.1, 0.35], step: 0.2, scale: 'plain' },
];

/** Evaluations between two turns of the event loop. */
const BREATH = 20;

/** A starting point: a function of its number alone. */
function startAt(seed: number, start: number): number[] {
  return FREE.map(({ from: [low, high], scale }, i) =>
    INTO[scale](low + (high - low) * uniformAt(seed, start, i)),
  );
}

const INTO = { plain: (x: number) => x, log: Math.log, logit: (x: number) => Math.log(x / (1 - x)) };
const BACK = { plain: (x: number) => x, log: Math.exp, logit: (x: number) => 1 / (1 + Math.exp(-x)) };

function parametersAt(point: readonly number[]): ProcessParameters {
  const free = Object.fromEntries(FREE.map(({ name, scale }, i) => [name, BACK[scale](point[i] ?? 0)]));
  const assumed = Object.fromEntries(Object.entries(ASSUMED).map(([name, [value]]) => [name, Number(value)]));
  return { ...free, ...assumed } as unknown as ProcessParameters;
}

/** Fits the process to Figures 5b and 8, then one number per task: a shift of its bias. Same options, same file. */
export async function fitProcess(
  options: FitOptions,
  onProgress: (evaluations: number, best: number) => void = () => {},
): Promise<ProcessFile> {
  let evaluations = 0;
  let best: Minimum | null = null;
  const at = async (point: readonly number[]): Promise<number> => {
    const value = objective(await residuals(parametersAt(point), options, plainly));
    evaluations++;
    // So that whoever waits can stop it.
    if (evaluations % BREATH === 0) await new Promise(setImmediate);
    onProgress(evaluations, Math.min(value, best?.value ?? value));
    return value;
  };
  const steps = FREE.map(({ step }) => step);
  const each = Math.floor(options.evaluations / options.starts / 2);
  for (let start = 0; start < options.starts; start++) {
    // Twice: a simplex that has shrunk too early gets its size back.
    const first = await nelderMead(at, startAt(options.seed, start), steps, each);
    const found = await nelderMead(at, first.point, steps, each);
    if (best === null || found.value < best.value) best = found;
  }
  if (best === null) throw new RangeError('a fit needs at least one start');
  const parameters = rounded(parametersAt(best.point));
  const left = await residuals(parameters, options);
  return {
    schema: 'dllm-npu/confidence-process@1',
    fittedTo: 'arXiv:2606.13740, Figure 5b and Figure 8; nothing else of the paper',
    command: `dllm-npu workload fit --seed ${options.seed} --cases ${options.cases} --evaluations ${options.evaluations} --starts ${options.starts}`,
    objective: OBJECTIVE_TEXT,
    value: objective(left),
    seed: options.seed,
    cases: options.cases,
    genLength: options.genLength,
    evaluations,
    parameters,
    assumed: Object.fromEntries(Object.entries(ASSUMED).map(([name, [, why]]) => [name, why])),
    residuals: left.map(({ name, fitted, target }) => ({ name, fitted, target })),
    profiles: taskProfiles(parameters, options),
  };
}

const DIGITS = 4;

function rounded(parameters: ProcessParameters): ProcessParameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, Number(value.toPrecision(DIGITS))]),
  ) as unknown as ProcessParameters;
}

/** Denoising steps of an answer under one threshold, at the setting of the published task figures. */
export function stepsAt(
  parameters: ProcessParameters,
  textTokens: number | null,
  { seed, cases }: Pick<FitRun, 'seed' | 'cases'>,
): number {
  const { genLength, blockLength, tau } = TASK_SETTING;
  let steps = 0;
  for (let index = 0; index < cases; index++) {
    const one = caseOf({ seed, promptTokens: PROMPT_TOKENS, textTokens }, index);
    steps += plainThreshold(parameters, one, genLength, blockLength, tau).steps;
  }
  return steps / cases;
}

/** Range of a data set's shift, and its halvings: 0.003 wide at the end. */
const SHIFTS: readonly [number, number] = [-6, 6];
const HALVINGS = 12;

function shiftFor(
  parameters: ProcessParameters,
  textTokens: number | null,
  steps: number,
  run: FitRun,
): number {
  let [low, high] = SHIFTS;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    const found = stepsAt({ ...parameters, bias: parameters.bias + middle }, textTokens, run);
    if (found > steps) low = middle;
    else high = middle;
  }
  return Number(((low + high) / 2).toFixed(3));
}

/** Ratio of steps between an easy or hard data set and the paper's: half the spread of the published tasks. */
const SPREAD = Math.sqrt(97 / 68);

/** Profiles of data sets: one number each. */
function taskProfiles(parameters: ProcessParameters, run: FitRun): Record<string, ProfileEntry> {
  const own = stepsAt(parameters, null, run);
  const profiles: Record<string, ProfileEntry> = {
    [PAPER_PROFILE]: {
      description: 'the fit itself',
      shift: 0,
      basis: 'Figures 5b and 8',
      textTokens: null,
    },
  };
  for (const [name, factor] of [
    ['easy', 1 / SPREAD],
    ['hard', SPREAD],
  ] as const) {
    profiles[name] = {
      description: `a data set that takes ${factor.toFixed(2)} times the steps`,
      shift: shiftFor(parameters, null, own * factor, run),
      basis: `${(own * factor).toFixed(1)} steps for 256 tokens at 0.9 (square root of the ratio of the slowest to the fastest published task)`,
      textTokens: null,
    };
  }
  for (const { task, steps, textTokens, source } of PUBLISHED_TASKS) {
    profiles[task] = {
      description: `${task}: the bias alone is shifted so that one published figure comes out`,
      shift: shiftFor(parameters, textTokens, steps, run),
      basis: `${steps} steps for 256 tokens at 0.9 (${source})`,
      textTokens,
    };
  }
  return profiles;
}
