import type { MachineChoice } from '../comparison/bench.js';
import { DECIDED, type Experiment, numbersOf } from '../comparison/experiment.js';
import { PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { meanForwards, meanSeconds, variant } from '../lab/decode-statistics.js';
import { shapley } from './shapley.js';

/** In the order in which Table 6 adds them. */
const TECHNIQUES = ['SOMR', 'MBSD', 'STS', 'SLS', 'SCR'] as const;
type Technique = (typeof TECHNIQUES)[number];
const CASES = 8;

const MASKS = Array.from({ length: 1 << TECHNIQUES.length }, (_, mask) => mask);

function has(mask: number, technique: Technique): boolean {
  return (mask & (1 << TECHNIQUES.indexOf(technique))) !== 0;
}

function nameOf(mask: number): string {
  const chosen = TECHNIQUES.filter((technique) => has(mask, technique));
  return chosen.length === 0 ? 'none' : chosen.join(' + ');
}

/** NPU + prefix KV with some of the five techniques. */
function specOf(mask: number) {
  const base = variant(has(mask, 'MBSD') ? 'mbsd' : 'block-kv');
  return variant(has(mask, 'MBSD') ? 'mbsd' : 'block-kv', {
    'commit.kind': has(mask, 'STS') ? 'staged' : base.commit.kind,
    logits: has(mask, 'SLS') ? 'active' : 'all',
    // A refresh works on visible tokens, which only staging makes: without it there is nothing to refresh.
    ...(has(mask, 'SCR') && has(mask, 'STS') ? { 'refresh.kind': 'cpu' } : {}),
  });
}

export const subsets: Experiment = {
  name: 'subsets',
  title: 'Every subset of the five techniques, and who deserves the speed-up',
  paper: null,
  runs: `NPU + prefix KV with each of the 32 subsets of SOMR, MBSD, STS, SLS and SCR; means of ${CASES} cases`,
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (_, open) => {
    const decodes = await open();
    const seconds: number[] = [];
    const forwards: number[] = [];
    for (const mask of MASKS) {
      const machine: MachineChoice = {
        stack: 'llada.cpp',
        memory: has(mask, 'SOMR') ? 'somr' : 'on-demand',
      };
      const facts = await decodes.run(specOf(mask), machine, CASES);
      seconds.push(meanSeconds(facts));
      forwards.push(meanForwards(facts));
    }
    const none = seconds[0] ?? Number.NaN;
    const worth = seconds.map((each) => Math.log(none / each));
    const single = TECHNIQUES.map((_technique, i) => worth[1 << i] ?? Number.NaN);
    const pairs = TECHNIQUES.flatMap((a, i) =>
      TECHNIQUES.slice(i + 1).map((b, j) => ({ i, k: i + 1 + j, name: `${a} with ${b}` })),
    );
    return {
      subset: MASKS.map(nameOf),
      seconds,
      forwards,
      technique: [...TECHNIQUES],
      shapley_log: shapley(TECHNIQUES.length, worth),
      alone_log: single,
      pair: pairs.map(({ name }) => name),
      interaction_log: pairs.map(
        ({ i, k }) => (worth[(1 << i) | (1 << k)] ?? 0) - (single[i] ?? 0) - (single[k] ?? 0),
      ),
    };
  },
  derived: {
    speedup: 'seconds[1] ./ seconds',
    total: 'speedup[32]',
    share_pct: '100 * shapley_log / sum(shapley_log)',
    shapley_x: 'map(shapley_log, exp)',
    alone_x: 'map(alone_log, exp)',
    interaction_x: 'map(interaction_log, exp)',
  },
  rows: [
    { name: '{label}', labels: 'subset', unit: 's', ours: 'seconds', paper: null, kind: DECIDED },
    { name: 'all five over none', unit: 'x', ours: 'total', paper: '87.0 / 16.1', kind: DECIDED },
    {
      name: '{label}: Shapley share of the speed-up',
      labels: 'technique',
      unit: '%',
      ours: 'share_pct',
      paper: null,
      kind: DECIDED,
    },
    {
      name: '{label}: Shapley factor',
      labels: 'technique',
      unit: 'x',
      ours: 'shapley_x',
      paper: null,
      kind: DECIDED,
    },
    { name: '{label} alone', labels: 'technique', unit: 'x', ours: 'alone_x', paper: null, kind: DECIDED },
    {
      name: '{label}: together over product of both alone',
      labels: 'pair',
      unit: 'x',
      ours: 'interaction_x',
      paper: null,
      kind: DECIDED,
    },
  ],
  notes: [
    WHO_DECIDED,
    'Worth of a subset: the logarithm of its speed-up over none. Shapley shares average the marginal gain over all 120 orders of adding the techniques; Table 6 shows one order.',
    'SCR without STS has nothing to refresh and is timed as without it. SCR is there for quality, not speed: a share near or below zero is its price.',
  ],
  figure: (columns) =>
    bars([
      {
        title: 'Shapley share of the speed-up',
        unit: '%',
        names: TECHNIQUES,
        values: numbersOf(columns, 'share_pct'),
      },
      {
        title: 'Alone, over NPU + prefix KV',
        unit: 'x',
        names: TECHNIQUES,
        values: numbersOf(columns, 'alone_x'),
      },
    ]),
};
