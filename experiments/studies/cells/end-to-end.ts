import { rowsOf } from '../../comparison/columns.js';
import { type Comparison, series } from '../../comparison/compare.js';
import { DECIDED } from '../../comparison/words.js';
import type { Workbench } from '../../comparison/workbench.js';
import { bars } from '../../figures/bars.js';
import type { Figure } from '../../figures/page.js';
import { inTurn } from '../../lab/decode-statistics.js';
import { DATA_SETS } from './data-sets.js';
import { type Method, predictAnswers } from './predict.js';

/** Phones of arXiv:2606.13740 (Table 3): profile, name, and where attention runs. */
export const PHONES = [
  { profile: 'sm8650', soc: 'SM8650', npuStack: 'llada.cpp' },
  { profile: 'sm8750', soc: 'SM8750', npuStack: 'llada.cpp' },
  { profile: 'sm8850', soc: 'SM8850', npuStack: 'llada.cpp-cpu-attention' },
] as const;

export const LENGTHS = [32, 64, 128] as const;

const AR_MODEL = 'llama-3-8b';

/** Rows of Figure 11, as the ladder (Table 6) has them; `ar`: Llama-3-8B, one token a pass, on the same stacks. */
function methods(costModel: string, npuStack: string): Readonly<Record<string, Method>> {
  const npu = { costModel, stack: npuStack } as const;
  const cpu = { costModel, stack: 'cpu', memory: ['unlimited'] } as const;
  return {
    cpu: { ...cpu, policy: 'llada' },
    'cpu+kv': { ...cpu, policy: 'block-kv' },
    npu: { ...npu, policy: 'llada', memory: ['on-demand'] },
    // As the ladder has it; what a draft is fed as is not said, and the interval holds both readings.
    'llada.cpp': {
      ...npu,
      policy: 'llada.cpp-drafts-masked',
      otherPolicy: 'llada.cpp',
      memory: ['somr'],
      decided: true,
    },
    'ar-cpu': { ...cpu, costModel: AR_MODEL, policy: 'one-by-one' },
    // Whether the paper's Llama ran with the new memory runtime is not said.
    'ar-npu': { ...npu, costModel: AR_MODEL, policy: 'one-by-one', memory: ['on-demand', 'somr'] },
  };
}

/** A published number: a configuration, tokens, seconds. */
export type PublishedSeconds = (
  soc: string,
  dataset: string,
  tokens: number,
  config: string,
) => number | null;

/** What a speed-up is made of. */
export const SPEED_UP_CONFIGS = ['cpu+kv', 'llada.cpp'] as const;

/**
 * Every cell, as columns of equal length.
 * @param configs rows of the figure that are wanted; default: all
 */
export async function endToEnd(
  bench: Workbench,
  costModel: string,
  published: PublishedSeconds,
  configs?: readonly string[],
) {
  const questions = DATA_SETS.flatMap((dataset) =>
    LENGTHS.map((tokens) => ({
      dataset: dataset.name,
      genLength: tokens,
      promptTokens: dataset.promptTokens,
      promptRange: dataset.range,
    })),
  );
  const groups = PHONES.flatMap(({ profile, soc, npuStack }) =>
    Object.entries(methods(costModel, npuStack)).flatMap(([config, method]) =>
      configs === undefined || configs.includes(config) ? [{ profile, soc, config, method }] : [],
    ),
  );
  const cells = (
    await inTurn(groups, async ({ profile, soc, config, method }) => {
      const answers = await predictAnswers(bench, method, profile, questions);
      return questions.map(({ dataset, genLength }, i) => ({
        soc,
        dataset,
        tokens: genLength,
        config,
        ...answers[i].seconds,
      }));
    })
  ).flat();
  return {
    soc: cells.map(({ soc }) => soc),
    dataset: cells.map(({ dataset }) => dataset),
    tokens: cells.map(({ tokens }) => tokens),
    config: cells.map(({ config }) => config),
    seconds: cells.map(({ value }) => value),
    low: cells.map(({ low }) => low),
    high: cells.map(({ high }) => high),
    paper_s: cells.map(({ soc, dataset, tokens, config }) => published(soc, dataset, tokens, config)),
  };
}

type Cells = Awaited<ReturnType<typeof endToEnd>>;

/** The end of an interval of slow / fast: both sides are uncertain by themselves, so their ln add in quadrature. */
function end(ratio: number, slow: number, fast: number, sign: 1 | -1): number {
  return ratio * Math.exp(sign * Math.hypot(Math.log(slow), Math.log(fast)));
}

/** CPU + prefix KV over the full system, for every phone, data set and length, in the order of the cells. */
export function speedUps({ soc, dataset, tokens, config, seconds, low, high, paper_s }: Cells) {
  const of = (name: string): number[] => config.flatMap((each, i) => (each === name ? [i] : []));
  const slow = of('cpu+kv');
  const pairs = of('llada.cpp').map((fast, k) => [slow[k], fast] as const);
  const gain = pairs.map(([before, after]) => seconds[before] / seconds[after]);
  const off = (values: readonly number[], i: number): number => values[i] / seconds[i];
  return {
    gain_cell: pairs.map(([, i]) => `${soc[i]}, ${dataset[i]}, ${tokens[i]} tokens`),
    gain,
    gain_low: pairs.map(([before, after], k) => end(gain[k], off(low, before), off(high, after), -1)),
    gain_high: pairs.map(([before, after], k) => end(gain[k], off(high, before), off(low, after), 1)),
    paper_gain: pairs.map(([before, after]) => {
      const [theirs, ours] = [paper_s[before], paper_s[after]];
      return theirs === null || ours === null ? null : theirs / ours;
    }),
  };
}

export const SPEED_UP_FORMULAS = {
  gain_cell: 'phone, data set, tokens',
  gain: 'seconds of cpu+kv / seconds of llada.cpp',
  gain_low: 'its interval: the ln of both intervals, in quadrature',
  gain_high: 'the same',
  paper_gain: 'the same of the paper',
} as const;

type SpeedUps = ReturnType<typeof speedUps>;

/** The cells as a table. */
export function cellTable({ soc, dataset, tokens, config, seconds, low, high, paper_s }: Cells) {
  return rowsOf({ soc, dataset, tokens, config, seconds, low, high, paper: paper_s });
}

/** Every cell, then every speed-up, beside the paper's where there is one. */
export function cellRows(ours: Cells & SpeedUps): Comparison[] {
  return [
    ...series(
      ours.soc.map((soc, i) => `${soc}, ${ours.dataset[i]}, ${ours.tokens[i]} tokens: ${ours.config[i]}`),
      (name) => name,
      { unit: 's', ours: ours.seconds, kind: DECIDED },
    ).map((row, i) => ({ ...row, paper: ours.paper_s[i] })),
    ...series(ours.gain_cell, (name) => `${name}: llada.cpp over cpu+kv`, {
      unit: 'x',
      ours: ours.gain,
      kind: DECIDED,
    }),
  ];
}

/** Speed-ups with their intervals. */
export function speedUpBars(title: string, { gain_cell, gain, gain_low, gain_high }: SpeedUps): Figure {
  return bars([
    {
      title,
      axis: 'times faster than CPU + prefix KV (line at 1)',
      scale: 'ratio',
      names: gain_cell,
      values: gain,
      low: gain_low,
      high: gain_high,
    },
  ]);
}
