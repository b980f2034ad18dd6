import type { Workbench } from '../../comparison/workbench.js';
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

/** Every cell, as columns of equal length. */
export async function endToEnd(bench: Workbench, costModel: string, published: PublishedSeconds) {
  const questions = DATA_SETS.flatMap((dataset) =>
    LENGTHS.map((tokens) => ({
      dataset: dataset.name,
      genLength: tokens,
      promptTokens: dataset.promptTokens,
      promptRange: dataset.range,
    })),
  );
  const groups = PHONES.flatMap(({ profile, soc, npuStack }) =>
    Object.entries(methods(costModel, npuStack)).map(([config, method]) => ({
      profile,
      soc,
      config,
      method,
    })),
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

/** CPU + prefix KV over the full system, for every phone, data set and length. */
export function speedUps({ soc, dataset, tokens, config, seconds }: Cells) {
  const of = (name: string): number[] => seconds.filter((_, i) => config[i] === name);
  const at = <T>(values: readonly T[]): T[] => values.filter((_, i) => config[i] === 'llada.cpp');
  const full = of('llada.cpp');
  return {
    gain_cell: at(soc).map((phone, i) => `${phone}, ${at(dataset)[i]}, ${at(tokens)[i]} tokens`),
    gain: of('cpu+kv').map((each, i) => each / full[i]),
  };
}
