import { composePolicy } from '../../../src/decode/compose.js';
import { denoising, variant } from '../../reproduce/decode-statistics.js';
import { type DecodeFacts, decodeFacts } from '../facts.js';
import { nelderMead } from './nelder-mead.js';
import { type FitRun, OBJECTIVE_TEXT, objective, residuals } from './objective.js';
import type { ProcessParameters } from './process.js';
import { PAPER_PROFILE, type ProcessFile, type ProfileEntry } from './profiles.js';
import { PUBLISHED_TASKS, TASK_SETTING } from './published-tasks.js';
import { PROMPT_TOKENS, SyntheticWorkload } from './workload.js';

export interface FitOptions extends FitRun {
  /** Decodes of the eight thresholds with all cases. */
  readonly evaluations: number;
  /** Starting points; the best end counts. */
  readonly starts: number;
}

export const FIT_DEFAULTS: FitOptions = { seed: 101, cases: 10, genLength: 128, evaluations: 750, starts: 3 };

/** What the two figures say nothing about. */
const ASSUMED = {
  noise: [
    '0.055',
    'standard deviation of the small noise in the earlier fit; ten times as much changes little',
  ],
  endBonus: ['4', 'end-of-text tokens commit almost for free; the size is not published'],
  selfBonus: [
    '0',
    'a fed token is re-scored as if it were masked: no published figure shows how much it speaks for itself',
  ],
} as const;

type Free = Exclude<keyof ProcessParameters, keyof typeof ASSUMED>;

/** Free parameters: start of each search, first step, and the scale they are searched on. */
const FREE: readonly {
  name: Free;
  from: readonly number[];
  step: number;
  scale: 'plain' | 'log' | 'logit';
}[] = [
  { name: 'bias', from: [0.5, -0.5, -1], step: 0.6, scale: 'plain' },
  { name: 'gapWeight', from: [1.5, 0.8, 0.4], step: 0.3, scale: 'log' },
  { name: 'densityWeight', from: [5, 8, 10], step: 0.3, scale: 'log' },
  { name: 'densityScale', from: [12, 6, 4], step: 0.3, scale: 'log' },
  { name: 'densityCurve', from: [1.5, 2.5, 1], step: 0.4, scale: 'log' },
  { name: 'easyShare', from: [0.6, 0.5, 0.4], step: 0.6, scale: 'logit' },
  { name: 'easyBonus', from: [2.5, 3, 5], step: 0.3, scale: 'log' },
  { name: 'spread', from: [1.2, 0.8, 0.5], step: 0.3, scale: 'log' },
];

const INTO = { plain: (x: number) => x, log: Math.log, logit: (x: number) => Math.log(x / (1 - x)) };
const BACK = { plain: (x: number) => x, log: Math.exp, logit: (x: number) => 1 / (1 + Math.exp(-x)) };

function parametersAt(point: readonly number[]): ProcessParameters {
  const free = Object.fromEntries(FREE.map(({ name, scale }, i) => [name, BACK[scale](point[i] ?? 0)]));
  const assumed = Object.fromEntries(Object.entries(ASSUMED).map(([name, [value]]) => [name, Number(value)]));
  return { ...free, ...assumed } as unknown as ProcessParameters;
}

/** Fits the process to Figures 5b and 8, then one number per task: its share of easy tokens. Same options, same file. */
export async function fitProcess(
  options: FitOptions,
  onProgress: (evaluations: number, best: number) => void = () => {},
): Promise<ProcessFile> {
  let evaluations = 0;
  let best: { point: readonly number[]; value: number } | null = null;
  for (let start = 0; start < options.starts; start++) {
    const found = await nelderMead(
      async (point) => {
        const value = objective(await residuals(parametersAt(point), options));
        evaluations++;
        onProgress(evaluations, Math.min(value, best?.value ?? value));
        return value;
      },
      FREE.map(({ from, scale }) => INTO[scale](from[start % from.length] ?? 1)),
      FREE.map(({ step }) => step),
      Math.floor(options.evaluations / options.starts),
    );
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
    profiles: await taskProfiles(parameters, options),
  };
}

const DIGITS = 4;

function rounded(parameters: ProcessParameters): ProcessParameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, Number(value.toPrecision(DIGITS))]),
  ) as unknown as ProcessParameters;
}

/** Denoising steps of an answer under one threshold, at the setting of the published task figures. */
export async function stepsAt(
  parameters: ProcessParameters,
  textTokens: number | null,
  run: Pick<FitRun, 'seed' | 'cases'>,
): Promise<number> {
  const { genLength, tau } = TASK_SETTING;
  const source = { name: 'synthetic', parameters, textTokens, seed: run.seed, promptTokens: PROMPT_TOKENS };
  const workload = new SyntheticWorkload(source);
  const policy = composePolicy(variant('threshold', { 'commit.tau': tau }));
  const facts: DecodeFacts[] = [];
  for (let index = 0; index < run.cases; index++)
    facts.push(await decodeFacts(workload, index, { policy, genLength }));
  return denoising(facts).length / run.cases;
}

/** Halvings of the share of easy tokens: 0.004 wide at the end. */
const HALVINGS = 8;

async function shareFor(
  parameters: ProcessParameters,
  textTokens: number | null,
  steps: number,
  run: FitRun,
): Promise<number> {
  let [low, high] = [0, 1];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    const found = await stepsAt({ ...parameters, easyShare: middle }, textTokens, run);
    if (found > steps) low = middle;
    else high = middle;
  }
  return Number(((low + high) / 2).toFixed(3));
}

/** Ratio of steps between an easy or hard data set and the paper's: half the spread of the published tasks. */
const SPREAD = Math.sqrt(97 / 68);

async function taskProfiles(
  parameters: ProcessParameters,
  run: FitRun,
): Promise<Record<string, ProfileEntry>> {
  const own = await stepsAt(parameters, null, run);
  const profiles: Record<string, ProfileEntry> = {
    [PAPER_PROFILE]: {
      description: 'the fit itself',
      easyShare: parameters.easyShare,
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
      easyShare: await shareFor(parameters, null, own * factor, run),
      basis: `${(own * factor).toFixed(1)} steps for 256 tokens at 0.9 (square root of the ratio of the slowest to the fastest published task)`,
      textTokens: null,
    };
  }
  for (const { task, steps, textTokens, source } of PUBLISHED_TASKS) {
    profiles[task] = {
      description: `${task}: the easy share alone is set so that one published figure comes out`,
      easyShare: await shareFor(parameters, textTokens, steps, run),
      basis: `${steps} steps for 256 tokens at 0.9 (${source})`,
      textTokens,
    };
  }
  return profiles;
}
