import { discordant, holm, mcnemar, pairedDifference } from '../../src/score/statistics/paired.js';
import { wilson } from '../../src/score/statistics/proportion.js';
import { mean } from '../../src/score/statistics/samples.js';
import { rowsOf } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import type { Workbench } from '../comparison/workbench.js';
import { pareto } from '../figures/pareto.js';
import { type TimedCaseResult, timedCases } from '../lab/kinds/case-result.js';
import { ofGain, ofMean } from './rivals/intervals.js';
import { BASELINE, BLOCK, type Method, methodsFor, TILE } from './rivals/methods.js';

const WORKLOAD = 'tiny-llada';

/** Two stacks: one that dispatches operators and pages weights, and graphs that were compiled ahead. */
const STACKS = [
  { stack: 'llada.cpp', memory: 'somr' },
  { stack: 'qnn', memory: 'unlimited' },
] as const;

/** Fewer than the 1,600 that a difference of 3 points takes: what a minute decides. More by --prompts. */
const CASES = 24;
const ENOUGH = 1600;

/** Tiles of all forwards of an answer. */
const tilesOf = ({ forwardRows }: TimedCaseResult): number =>
  forwardRows.reduce((sum, rows) => sum + Math.ceil(rows / TILE), 0);

const exactly = (cases: readonly TimedCaseResult[]): boolean[] =>
  cases.map(({ answer }) => answer?.exact === true);

const secondsOf = (cases: readonly TimedCaseResult[]): number[] => cases.map(({ ms }) => ms / 1000);

/**
 * Every case of every method on every stack: one run each, so that a longer study takes over what a shorter one did. Runs that
 * decide the same share it.
 */
async function answersOf(
  bench: Workbench,
  ran: readonly Extract<Method, { config: unknown }>[],
  cases: number,
): Promise<Map<string, TimedCaseResult[]>> {
  const { workload, quant, profile, costModel, seed, genLength } = bench.options;
  const cells = STACKS.flatMap((on) => ran.map((method) => ({ ...on, ...method })));
  const records = await bench.runs(
    cells.flatMap(({ config, decidedBy = WORKLOAD, stack, memory }) =>
      Array.from({ length: cases }, (_, firstCase) => ({
        kind: 'decode',
        config: {
          ...{ blockLength: BLOCK, ...config, workload: workload ?? decidedBy },
          ...{ costModel, quant, profile, stack, memory },
          ...{ seed, firstCase, cases: 1, genLength },
        },
      })),
    ),
  );
  return new Map(
    cells.map(({ stack, method }, at) => [
      cell(stack, method),
      records.slice(at * cases, (at + 1) * cases).flatMap((record) => timedCases(record).cases),
    ]),
  );
}

const cell = (stack: string, method: string): string => `${stack}, ${method}`;

/** Which use of idle rows is worth most, at the same tiles. */
export const rivals = defineStudy({
  name: 'rivals',
  title: 'MBSD and its rivals: what the idle rows of a tile are worth to each',
  paper: null,
  runs: `blocks of ${BLOCK} on tiles of ${TILE} rows, threshold 0.9, drafts of MBSD fed as tokens; one answer of {tokens} tokens; llada.cpp with SOMR, and compiled graphs`,
  workload: WORKLOAD,
  stacks: STACKS.map(({ stack }) => stack),
  measure: async (bench, open) => {
    const most = bench.options.prompts ?? CASES;
    (await open()).ran(most);
    const { seed } = bench.options;
    const methods = methodsFor(bench.options.workload);
    const ran = methods.flatMap((method) => ('config' in method ? [method] : []));
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
      seconds_low: [] as (number | null)[],
      seconds_high: [] as (number | null)[],
      gain_low: [] as (number | null)[],
      gain_high: [] as (number | null)[],
      joules: [] as (number | null)[],
      exact: [] as (number | null)[],
      difference: [] as (number | null)[],
      difference_low: [] as (number | null)[],
      difference_high: [] as (number | null)[],
      p_holm: [] as (number | null)[],
    };
    const answers = await answersOf(bench, ran, most);
    for (const { stack } of STACKS) {
      const found = { get: (method: string) => answers.get(cell(stack, method)) };
      const base = exactly(found.get(BASELINE) ?? []);
      const scored = (found.get(BASELINE) ?? []).every(({ answer }) => answer !== null);
      const others = ran.filter(({ method }) => method !== BASELINE).map(({ method }) => method);
      const p = others.map((method) => {
        const { onlyFirst, onlySecond } = discordant(exactly(found.get(method) ?? []), base);
        return mcnemar(onlyFirst, onlySecond);
      });
      const corrected = new Map(holm(p).map((value, i) => [others[i], value]));
      for (const each of methods) {
        const facts = found.get(each.method) ?? null;
        const own = facts === null ? [] : exactly(facts);
        const rival = scored && corrected.has(each.method);
        const difference = rival ? pairedDifference(own, base) : null;
        const of = (value: (facts: readonly TimedCaseResult[]) => number) =>
          facts === null ? null : value(facts);
        const seconds = facts === null ? null : ofMean(secondsOf(facts), seed);
        const gain =
          facts === null ? null : ofGain(secondsOf(facts), secondsOf(found.get(BASELINE) ?? []), seed);
        table.stack.push(stack);
        table.method.push(each.method);
        table.source.push(each.source);
        table.why.push('why' in each ? each.why : null);
        table.cases.push(facts?.length ?? 0);
        table.forwards.push(of((all) => mean(all.map(({ counters }) => counters.nfe))));
        table.tiles.push(of((all) => mean(all.map(tilesOf))));
        table.rows_per_forward.push(of((all) => mean(all.flatMap(({ forwardRows }) => forwardRows))));
        table.seconds.push(of((all) => mean(secondsOf(all))));
        table.seconds_low.push(seconds?.low ?? null);
        table.seconds_high.push(seconds?.high ?? null);
        table.gain_low.push(gain?.low ?? null);
        table.gain_high.push(gain?.high ?? null);
        table.joules.push(of((all) => mean(all.map(({ joules }) => joules))));
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
    'Linear self-speculation is decided by tiny-dual, other weights of the same size trained on the same task: its difference is also that of the models.',
    'Joules are of assumed energy numbers.',
  ],
  figure: (ours) => {
    // A confidence process has no right answers: then what a method costs stands against what it gains.
    const scored = ours.exact.some((share) => share !== null);
    const points = ours.method.flatMap((method, i) => {
      const [x, y] = [ours.seconds[i], scored ? ours.exact[i] : ours.tiles[i]];
      return ours.stack[i] === STACKS[0].stack && x !== null && y !== null
        ? [
            {
              ...{ name: method, x, y, xLow: ours.seconds_low[i] ?? x, xHigh: ours.seconds_high[i] ?? x },
              ...(scored ? shareInterval(y, ours.cases[i]) : {}),
            },
          ]
        : [];
    });
    return pareto(points, {
      title: `What a method costs and gains: one answer, stack ${STACKS[0].stack}`,
      x: { title: 'seconds for one answer' },
      y: scored
        ? { title: 'answers exactly right', percent: true }
        : { title: 'tiles per answer', smaller: true },
      subtitle: 'lines: 95 % intervals over the problems',
    });
  },
});

/** 95 % interval of a share of cases (Wilson). */
function shareInterval(share: number, cases: number): { low: number; high: number } {
  const { low, high } = wilson(Math.round(share * cases), cases);
  return { low, high };
}
