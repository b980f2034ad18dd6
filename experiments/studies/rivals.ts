import { energyOf } from '../../sim/energy/energy.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import { discordant, holm, mcnemar, pairedDifference } from '../../src/score/statistics/paired.js';
import { wilson } from '../../src/score/statistics/proportion.js';
import { mean } from '../../src/score/statistics/samples.js';
import { rowsOf } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import type { Workbench } from '../comparison/workbench.js';
import { pareto } from '../figures/pareto.js';
import type { DecodeFacts } from '../lab/deciders/facts.js';
import { variant } from '../lab/decode-statistics.js';
import { openChip } from '../lab/open.js';
import { chipSchema } from '../lab/setup.js';

/** Rows of a tile of the matrix unit (arXiv:2606.13740 §2.2): what a block of 8 leaves idle of it is what all compete for. */
const TILE = 32;
const BLOCK = 8;

/** Two stacks: one that dispatches operators and pages weights, and graphs that were compiled ahead. */
const STACKS = [
  { stack: 'llada.cpp', memory: 'somr' },
  { stack: 'qnn', memory: 'unlimited' },
] as const;

/** Fewer than the 1,600 that a difference of 3 points takes: what a minute decides. More by --prompts. */
const CASES = 24;
const ENOUGH = 1600;

type Method = { readonly method: string; readonly source: string } & (
  | { readonly spec: () => PolicySpec }
  | { readonly why: string }
);

const BASELINE = 'no use of idle rows';
const MIXED =
  'no model with weights here was trained left to right and in blocks, so there are no decisions of one to time';

/** Every method that uses rows which the tile computes anyway, on blocks of 8 with a threshold of 0.9. */
const METHODS: readonly Method[] = [
  { method: BASELINE, source: 'threshold', spec: () => variant('threshold', { blockLength: BLOCK }) },
  {
    method: 'MBSD',
    source: 'arXiv:2606.13740 §3.2',
    spec: () =>
      variant('mbsd', {
        blockLength: BLOCK,
        'window.size': TILE,
        'window.lookahead': null,
        'commit.kind': 'threshold',
      }),
  },
  {
    method: 'MBSD + STS',
    source: 'arXiv:2606.13740 §3.3',
    spec: () => variant('mbsd-sts', { blockLength: BLOCK, 'window.size': TILE, 'window.lookahead': null }),
  },
  {
    method: 'exact speculation',
    source: 'this project',
    spec: () => variant('exact-speculation-threshold'),
  },
  {
    method: 'multi-block',
    source: 'd3LLM, SGLang pull 20615',
    spec: () =>
      variant('multi-block', {
        blockLength: BLOCK,
        'window.kind': 'block',
        'window.extent': 'suffix',
        'cache.kind': 'prefix',
      }),
  },
  { method: 'linear self-speculation', source: 'Nemotron-Labs-Diffusion', why: MIXED },
  { method: 'streaming', source: 'WeDLM, arXiv:2512.22737', why: MIXED },
  {
    method: 'look-ahead branches',
    source: 'LoPA, arXiv:2512.16229',
    why: 'the rule that keeps a branch was not found in a source that could be read',
  },
];

/** Tiles of all forwards of an answer. */
function tilesOf({ mainRows }: DecodeFacts): number {
  return mainRows.reduce((sum, rows) => sum + Math.ceil(rows / TILE), 0);
}

function joulesOf(bench: Workbench, stack: string, facts: readonly DecodeFacts[]): number {
  const { profile } = openChip({ profile: bench.options.profile, stack, numbers: {} });
  return mean(facts.map(({ timings }) => energyOf(timings ?? [], profile).joules));
}

const exactly = (facts: readonly DecodeFacts[]): boolean[] =>
  facts.map(({ answer }) => answer?.exact === true);

/** Which use of idle rows is worth most, at the same tiles. */
export const rivals = defineStudy({
  name: 'rivals',
  title: 'MBSD and its rivals: what the idle rows of a tile are worth to each',
  paper: null,
  runs: `blocks of ${BLOCK} on tiles of ${TILE} rows, threshold 0.9; one answer of {tokens} tokens; llada.cpp with SOMR, and compiled graphs`,
  workload: 'tiny-llada',
  stacks: STACKS.map(({ stack }) => stack),
  measure: async (bench, open) => {
    const decodes = await open();
    const most = bench.options.prompts ?? CASES;
    const { quant, profile, costModel } = bench.options;
    const ran = METHODS.flatMap((method) => ('spec' in method ? [method] : []));
    const table = {
      stack: [] as string[],
      method: [] as string[],
      source: [] as string[],
      why: [] as (string | null)[],
      cases: [] as number[],
      forwards: [] as (number | null)[],
      tiles: [] as (number | null)[],
      rows_per_forward: [] as (number | null)[],
      seconds: [] as (number | null)[],
      joules: [] as (number | null)[],
      exact: [] as (number | null)[],
      difference: [] as (number | null)[],
      difference_low: [] as (number | null)[],
      difference_high: [] as (number | null)[],
      p_holm: [] as (number | null)[],
    };
    for (const { stack, memory } of STACKS) {
      const chip = chipSchema.parse({ costModel, quant, profile, stack, memory });
      const found = new Map<string, DecodeFacts[]>();
      for (const { method, spec } of ran) found.set(method, await decodes.runOn(spec(), chip, most));
      const base = exactly(found.get(BASELINE) ?? []);
      const scored = (found.get(BASELINE) ?? []).every(({ answer }) => answer !== null);
      const others = ran.filter(({ method }) => method !== BASELINE).map(({ method }) => method);
      const p = others.map((method) => {
        const { onlyFirst, onlySecond } = discordant(exactly(found.get(method) ?? []), base);
        return mcnemar(onlyFirst, onlySecond);
      });
      const corrected = new Map(holm(p).map((value, i) => [others[i], value]));
      for (const each of METHODS) {
        const facts = found.get(each.method) ?? null;
        const own = facts === null ? [] : exactly(facts);
        const rival = scored && corrected.has(each.method);
        const difference = rival ? pairedDifference(own, base) : null;
        const of = (value: (facts: readonly DecodeFacts[]) => number) =>
          facts === null ? null : value(facts);
        table.stack.push(stack);
        table.method.push(each.method);
        table.source.push(each.source);
        table.why.push('why' in each ? each.why : null);
        table.cases.push(facts?.length ?? 0);
        table.forwards.push(of((all) => mean(all.map(({ forwards }) => forwards))));
        table.tiles.push(of((all) => mean(all.map(tilesOf))));
        table.rows_per_forward.push(of((all) => mean(all.flatMap(({ mainRows }) => mainRows))));
        table.seconds.push(of((all) => mean(all.map(({ seconds }) => seconds ?? Number.NaN))));
        table.joules.push(of((all) => joulesOf(bench, stack, all)));
        table.exact.push(facts !== null && scored ? mean(own.map(Number)) : null);
        table.difference.push(difference?.value ?? null);
        table.difference_low.push(difference?.low ?? null);
        table.difference_high.push(difference?.high ?? null);
        table.p_holm.push(rival ? (corrected.get(each.method) ?? null) : null);
      }
    }
    return table;
  },
  derive: (ours) => ({
    gain: ours.seconds.map((seconds, i) => {
      const base = ours.seconds[ours.stack.indexOf(ours.stack[i])];
      return seconds === null || base === null ? null : base / seconds;
    }),
  }),
  formulas: { gain: 'seconds without use of idle rows on the same stack / seconds' },
  compare: (ours) =>
    (['seconds', 'joules', 'tiles'] as const)
      .flatMap((field) =>
        series(
          ours.method.map((method, i) => `${method}, ${ours.stack[i]}: ${field}`),
          (name) => name,
          {
            unit: { seconds: 's', joules: 'J', tiles: '' }[field],
            ours: ours[field].map((value) => value ?? Number.NaN),
            kind: 'ordering',
          },
        ),
      )
      .filter(({ ours: value }) => Number.isFinite(value)),
  table: (ours) => rowsOf({ ...ours, runs: ours.why.map((why) => why === null) }),
  notes: [
    `Whether answers differ takes ${ENOUGH} problems: with fewer the interval of the difference says how little is known (--prompts ${ENOUGH}).`,
    'Decisions are those of {model} on its own problems, timed in the shapes of the cost model. What a rival commits depends on how sure a model is: an order of methods on this model is no order on another.',
    'Multi-block reads the whole rest of the text in every forward, so its forwards take more than one tile; the column says how many.',
    'Joules are of assumed energy numbers.',
  ],
  figure: (ours) => {
    // A confidence process has no right answers: then what a method costs stands against what it gains.
    const scored = ours.exact.some((share) => share !== null);
    const points = ours.method.flatMap((method, i) => {
      const [x, y] = [ours.seconds[i], scored ? ours.exact[i] : ours.tiles[i]];
      return ours.stack[i] === STACKS[0].stack && x !== null && y !== null
        ? [{ name: method, x, y, ...(scored ? shareInterval(y, ours.cases[i]) : {}) }]
        : [];
    });
    return pareto(points, {
      title: `What a method costs and gains: one answer, stack ${STACKS[0].stack}`,
      x: { title: 'seconds for one answer' },
      y: scored
        ? { title: 'answers exactly right', percent: true }
        : { title: 'tiles per answer', smaller: true },
    });
  },
});

/** 95 % interval of a share of cases (Wilson). */
function shareInterval(share: number, cases: number): { low: number; high: number } {
  const { low, high } = wilson(Math.round(share * cases), cases);
  return { low, high };
}
