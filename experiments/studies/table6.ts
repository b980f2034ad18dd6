import { policySpecByName } from '../../src/decode/policies.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import { median, medianInterval } from '../../src/score/statistics/samples.js';
import { between, within } from '../comparison/bands.js';
import { caseRatioIntervals } from '../comparison/case-intervals.js';
import { valueAt } from '../comparison/columns.js';
import { endsAt, series } from '../comparison/compare.js';
import type { Decodes } from '../comparison/decodes.js';
import { defineStudy } from '../comparison/study.js';
import { alsoBecause, DECIDED, OTHER_MODEL, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { latencies } from '../figures/bars.js';
import type { DecodeFacts } from '../lab/deciders/facts.js';
import {
  denoising,
  meanDraftsAccepted,
  meanForwards,
  meanOf,
  meanRefreshes,
  variant,
} from '../lab/decode-statistics.js';
import { LADDER } from './ladder/ladder.js';
import { machineSpread, type RowStep } from './ladder/machine-spread.js';

/** From this row on the time depends on what the model decides. */
const FIRST_DECIDED = LADDER.findIndex(({ name }) => name === '+ MBSD');

/** The ladder decodes the same policy on several machines; decisions that need no clock are the same on all. */
async function rungs(open: () => Promise<Decodes>) {
  const decodes = await open();
  return Promise.all(
    LADDER.map(async ({ name, policy, stack, memory }) => {
      const facts = await decodes.run(policySpecByName(policy), { stack, memory });
      return { name, policy, facts, seconds: facts.map((each) => each.seconds ?? Number.NaN) };
    }),
  );
}

/** Rows that are also run with drafts that are fed as their tokens: the other reading of section 3.2 (ADR 156). */
const WITH_DRAFTS = LADDER.filter(({ name }) => name === '+ MBSD' || name === '+ SCR');

async function fedDrafts(decodes: Decodes): Promise<(number | null)[]> {
  // A recorded decode cannot be asked what it would have done.
  if (decodes.decider.kind === 'trace') return WITH_DRAFTS.map(() => null);
  return Promise.all(
    WITH_DRAFTS.map(async ({ policy, stack, memory }) => {
      const facts = await decodes.run(variant(policy, { 'speculate.feed': 'token' }), { stack, memory });
      return median(facts.map((each) => each.seconds ?? Number.NaN));
    }),
  );
}

/** Rows of which the ratio is the gain of each row, and its factor over CPU + prefix KV. */
const GAIN_PAIRS = LADDER.map((_, row) => [Math.max(0, row - 1), row] as const);
const CPU_KV = LADDER.findIndex(({ name }) => name === 'CPU + prefix KV');
const TOTAL_PAIRS = LADDER.map((_, row) => [CPU_KV, row] as const);

/** The step that stands for a row: as many rows as the mean, half of the answer cached. */
function stepOf({ logits }: PolicySpec, facts: readonly DecodeFacts[], genLength: number): RowStep {
  const steps = denoising(facts);
  const prompt = meanOf(facts.map(({ mainRows }) => mainRows[0]));
  const rows = Math.round(meanOf(steps.map((step) => step.rows)));
  const active = Math.round(meanOf(steps.map((step) => step.rows - step.stableRows)));
  const context = rows > genLength ? 0 : Math.round(prompt + genLength / 2);
  return { rows, context, logitsRows: logits === 'active' ? active : rows };
}

/** Seconds of the row before over seconds; 1 in the first row. */
function gains(seconds: readonly number[]): number[] {
  return seconds.map((each, i) => (i === 0 ? 1 : seconds[i - 1] / each));
}

function overCpuKv(rows: readonly string[], seconds: readonly number[]): number[] {
  const cpu = valueAt(rows, seconds, 'CPU + prefix KV');
  return seconds.map((each) => cpu / each);
}

const PREFIX_KV = {
  kind: 'predicted',
  band: { claim: 'T4', text: 'within 15 %', holds: within(0.15) },
  whenMissed:
    'the gain grows with the prompt, whose length in the paper is not known, and with how cheap 32 rows are (table2)',
} as const;

export const table6 = defineStudy({
  name: 'table6',
  title: 'The ablation ladder',
  paper: 'table6',
  runs: 'one {tokens}-token answer per prompt under each row of the ladder (`dllm-npu ablate`)',
  workload: PAPER_WORKLOAD,
  stacks: ['cpu', 'llada.cpp'],
  measure: async (bench, open) => {
    const rows = await rungs(open);
    const { kind } = (await open()).decider;
    const { seed, genLength } = bench.options;
    const intervals = rows.map(({ seconds }) => medianInterval(seconds, seed));
    const medians = intervals.map((each) => each.median);
    const samples = rows.map(({ seconds }) => seconds);
    const overCases = (pairs: readonly (readonly [number, number])[]) =>
      caseRatioIntervals(samples, pairs, median, seed);
    const [gainCases, totalCases] = [overCases(GAIN_PAIRS), overCases(TOTAL_PAIRS)];
    const spread = machineSpread(
      ({ stack, memory }) => bench.machine(stack, memory),
      rows.map(({ policy, facts }) => stepOf(variant(policy), facts, genLength)),
      bench.hooks.signal,
    );
    const overMachines = ([over, under]: readonly [number, number]) =>
      spread.ratio(over, under, medians[over] / medians[under]);
    const [gainMachines, totalMachines] = [GAIN_PAIRS.map(overMachines), TOTAL_PAIRS.map(overMachines)];
    const secondsMachines = medians.map((seconds, row) => spread.seconds(row, seconds));
    return {
      predicted_rows: kind === 'synthetic' ? rows.length : FIRST_DECIDED,
      row: rows.map(({ name }) => name),
      seconds: intervals.map(({ median }) => median),
      low_s: intervals.map(({ low }) => low),
      high_s: intervals.map(({ high }) => high),
      machine_low_s: secondsMachines.map(({ low }) => low),
      machine_high_s: secondsMachines.map(({ high }) => high),
      gain_low: gainCases.low,
      gain_high: gainCases.high,
      gain_machine_low: gainMachines.map(({ low }) => low),
      gain_machine_high: gainMachines.map(({ high }) => high),
      over_cpu_kv_low: totalCases.low,
      over_cpu_kv_high: totalCases.high,
      over_cpu_kv_machine_low: totalMachines.map(({ low }) => low),
      over_cpu_kv_machine_high: totalMachines.map(({ high }) => high),
      fed_drafts_s: await fedDrafts(await open()),
      forwards: rows.map(({ facts }) => meanForwards(facts)),
      drafts_accepted: rows.map(({ facts }) => meanDraftsAccepted(facts)),
      refreshes: rows.map(({ facts }) => meanRefreshes(facts)),
    };
  },
  derive: ({ row, seconds }, paper) => ({
    gain: gains(seconds),
    paper_gain: gains(paper.seconds),
    over_cpu_kv: overCpuKv(row, seconds),
    paper_over_cpu_kv: overCpuKv(row, paper.seconds),
  }),
  formulas: {
    gain: 'seconds of the row before / seconds; 1 in the first',
    paper_gain: 'the same of the paper',
    over_cpu_kv: 'seconds of CPU + prefix KV / seconds',
    paper_over_cpu_kv: 'the same of the paper',
  },
  compare: (ours, paper) => {
    const at = <V>(values: readonly V[], row: string): V => valueAt(ours.row, values, row);
    /** Gain over `base` of a row whose drafts are fed as tokens. */
    const fed = (row: string, base: string): number | null => {
      const seconds = ours.fed_drafts_s[WITH_DRAFTS.findIndex(({ name }) => name === row)];
      return seconds === null ? null : at(ours.seconds, base) / seconds;
    };
    const gain = (row: string) => {
      const i = ours.row.indexOf(row);
      return {
        unit: 'x',
        ours: at(ours.gain, row),
        cases: endsAt({ low: ours.gain_low, high: ours.gain_high }, i),
        machine: endsAt({ low: ours.gain_machine_low, high: ours.gain_machine_high }, i),
        paper: at(ours.paper_gain, row),
      };
    };
    /** Ends of the seconds of some rows. */
    const ends = (from: number, to?: number) => ({
      cases: { low: ours.low_s.slice(from, to), high: ours.high_s.slice(from, to) },
      machine: { low: ours.machine_low_s.slice(from, to), high: ours.machine_high_s.slice(from, to) },
    });
    return [
      ...series(ours.row.slice(0, FIRST_DECIDED), (row) => row, {
        unit: 's',
        ours: ours.seconds.slice(0, FIRST_DECIDED),
        ...ends(0, FIRST_DECIDED),
        kind: 'predicted',
        paper: paper.seconds.slice(0, FIRST_DECIDED),
        band: { claim: 'T3', text: 'within 10 %', holds: within(0.1) },
        whenMissed:
          'a step of 32 rows is faster here than in the paper (table2), and the lengths of its prompts are not known',
      }),
      ...series(ours.row.slice(FIRST_DECIDED), (row) => row, {
        unit: 's',
        ours: ours.seconds.slice(FIRST_DECIDED),
        ...ends(FIRST_DECIDED),
        kind: DECIDED,
        paper: paper.seconds.slice(FIRST_DECIDED),
      }),
      { name: 'CPU: gain of prefix KV', ...gain('CPU + prefix KV'), ...PREFIX_KV },
      { name: 'NPU: gain of prefix KV', ...gain('NPU + prefix KV'), ...PREFIX_KV },
      {
        name: 'gain of SOMR',
        ...gain('+ SOMR'),
        kind: 'predicted',
        band: { claim: 'T5', text: '1.10 to 1.35', holds: between(1.1, 1.35) },
        whenMissed: 'the cost of a mapping is assumed, with a wide range (`dllm-npu hardware show`)',
      },
      {
        name: 'gain of MBSD',
        ...gain('+ MBSD'),
        kind: DECIDED,
        band: { claim: 'T6', text: '1.05 to 1.35', holds: between(1.05, 1.35) },
        whenMissed: alsoBecause(
          '1.20x is 21 drafts in 128 tokens, little more than what passes 0.9 in the first step of three blocks; what a later block shows before it is current depends on the deciding model',
        ),
      },
      {
        name: 'gain of MBSD, drafts fed as tokens',
        unit: 'x',
        kind: DECIDED,
        ours: fed('+ MBSD', '+ SOMR'),
        paper: at(ours.paper_gain, '+ MBSD'),
      },
      {
        name: 'gain of STS',
        ...gain('+ STS'),
        kind: DECIDED,
        band: { claim: 'T8', text: '2.5 to 5', holds: between(2.5, 5) },
        whenMissed: OTHER_MODEL,
      },
      {
        name: 'gain of SLS',
        ...gain('+ SLS'),
        kind: DECIDED,
        band: { claim: 'T9', text: '1.00 to 1.12', holds: between(1, 1.12) },
        whenMissed: alsoBecause(
          'The vocabulary projection is assumed to be no faster than other CPU products (`dllm-npu hardware show`)',
        ),
      },
      {
        name: 'gain of SCR',
        ...gain('+ SCR'),
        kind: DECIDED,
        band: { claim: 'T9', text: '0.93 to 1.00', holds: between(0.93, 1) },
        whenMissed: alsoBecause('Refreshed tokens may also let blocks finish earlier'),
      },
      {
        name: 'full system over CPU + KV',
        unit: 'x',
        ours: at(ours.over_cpu_kv, '+ SCR'),
        cases: endsAt({ low: ours.over_cpu_kv_low, high: ours.over_cpu_kv_high }, ours.row.length - 1),
        machine: endsAt(
          { low: ours.over_cpu_kv_machine_low, high: ours.over_cpu_kv_machine_high },
          ours.row.length - 1,
        ),
        kind: DECIDED,
        paper: at(ours.paper_over_cpu_kv, '+ SCR'),
        band: {
          claim: 'T10',
          text: 'within 25 %',
          holds: (row) => Math.abs(row.ours / row.paper - 1) <= 0.25,
        },
        whenMissed: alsoBecause(
          'By Figure 5b itself a visible threshold of 0.7 commits 7.9 tokens per step: 16.3 forwards at 0.559 s (+ SOMR) are 9.1 s and 67x, where Table 6 has 16.1 s. A step of 32 rows is faster here besides (table2)',
        ),
      },
      {
        name: 'full system over CPU + KV, drafts fed as tokens',
        unit: 'x',
        kind: DECIDED,
        ours: fed('+ SCR', 'CPU + prefix KV'),
        paper: at(ours.paper_over_cpu_kv, '+ SCR'),
      },
    ];
  },
  notes: [
    WHO_DECIDED,
    "The rows up to + SOMR commit one token per step: they do not depend on who decides, but on the length of the prompt (synthetic: 80 tokens, which the paper's own step times and totals imply).",
    'Two intervals: 95 % over the cases (bootstrap of medians; a ratio sees the same cases above and below the line), and 80 % over the machine (draws of heat and of every number that has a range, spread by the form of the model). A ratio of two rows on one stack takes both on the same draw, and the form divides out; that a gain hardly moves there says that it is one of fewer passes, not that it is certain: who decides is in neither interval.',
    'The paper prints ms; its figures and step times show that seconds are meant.',
  ],
  figure: (ours, paper) =>
    latencies({
      names: ours.row,
      axis: 'seconds for one answer',
      groups: [
        {
          name: 'One answer of {tokens} tokens',
          ours: ours.seconds,
          low: ours.machine_low_s,
          high: ours.machine_high_s,
          paper: paper.seconds,
          predicted: ours.row.map((_, i) => i < ours.predicted_rows),
        },
      ],
    }),
});
