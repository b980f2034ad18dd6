import { baseText } from '../../sim/hardware/quantity.js';
import { parametersOf } from '../../sim/sensitivity/parameters.js';
import { stackByName } from '../../sim/stacks/registry.js';
import { series } from '../comparison/compare.js';
import type { Decodes } from '../comparison/decodes.js';
import type { MachineChoice } from '../comparison/machine-choice.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import type { Workbench } from '../comparison/workbench.js';
import { endText } from '../figures/end-text.js';
import { tornado as tornadoFigure } from '../figures/tornado.js';
import { parameterWords } from '../figures/words.js';
import { meanSeconds, variant } from '../lab/decode-statistics.js';
import { type Bar, type End, openParameters } from '../open-parameters/items.js';
import { table6Seconds } from '../paper/numbers.js';
import { LADDER } from './ladder/ladder.js';

const CASES = 6;
/** Bars of the figure; the table has all. */
const SHOWN = 20;

/** The row every bar is about unless it says otherwise. */
const FULL_SYSTEM = '+ SCR';

/** Stands in a column of item numbers for none. */
const NO_ITEM = 0;

/** A bar of the chart: an open parameter, or a number of the machine that belongs to none. */
interface Swept extends Bar {
  /** Item of docs/open-parameters.md; null: a number of chip or stack that was not measured. */
  readonly item: number | null;
  /** Numbers of the machine at the two ends. */
  readonly machine?: readonly [low: Partial<MachineChoice>, high: Partial<MachineChoice>];
}

/** Numbers of the machine that were not measured, at both ends of their ranges. */
function machineBars(bench: Workbench): Swept[] {
  const itemOf = new Map(
    openParameters().flatMap(({ number, machine }) => machine.map((name) => [name, number] as const)),
  );
  return parametersOf(bench.hardware, stackByName('llada.cpp')).map(
    ({ name, dimension, range, integral }) => {
      const [low, high] = range.map((value) =>
        baseText(integral ? Math.round(value) : Number(value.toPrecision(3)), dimension),
      );
      const [lowText, highText] = range.map((value) => endText({ dimension, integral }, value));
      const change = (text: string): Partial<MachineChoice> =>
        name.startsWith('stack.')
          ? { software: { [name.slice('stack.'.length)]: text } }
          : { hardware: { [name]: text } };
      return {
        item: itemOf.get(name) ?? null,
        name,
        row: FULL_SYSTEM,
        low: { text: lowText },
        high: { text: highText },
        machine: [change(low), change(high)],
      };
    },
  );
}

/** Bars of the options, in the order of the items. */
function optionBars(): Swept[] {
  return openParameters().flatMap(({ number, bars }) => bars.map((bar) => ({ ...bar, item: number })));
}

/** Measures ends of bars. */
class Ends {
  constructor(
    private readonly bench: Workbench,
    private readonly decodes: Decodes,
  ) {}

  /** Mean seconds of an answer; null where the workload cannot be asked for it. */
  async seconds(
    row: string,
    end: Omit<End, 'text'>,
    machine: Partial<MachineChoice> = {},
  ): Promise<number | null> {
    const rung = LADDER.find(({ name }) => name === row);
    if (rung === undefined) throw new Error(`no row ${row} in the ladder`);
    const decodes = await this.source(end);
    if (decodes === null) return null;
    const { stack, memory, policy } = rung;
    const on: MachineChoice = { stack, memory: end.memory ?? memory, ...machine };
    return meanSeconds(await decodes.run(variant(policy, end.policy ?? {}), on, CASES));
  }

  private async source({ seed, promptTokens }: Omit<End, 'text'>): Promise<Decodes | null> {
    const { name, kind } = this.decodes.decider;
    if (seed === undefined && promptTokens === undefined) return this.decodes;
    // A recorded decode has one seed, and only the process has prompts of any length.
    if (kind === 'trace' || (promptTokens !== undefined && kind !== 'synthetic')) return null;
    const named = promptTokens === undefined ? name : withPrompt(name, promptTokens);
    return this.bench.decodesOf(named, seed ?? this.bench.options.seed);
  }
}

function withPrompt(name: string, promptTokens: number): string {
  return `${name.includes(':') ? name : `${name}:paper`},prompt=${promptTokens}`;
}

export const tornado = defineStudy({
  name: 'tornado',
  title: 'What the paper leaves open, one parameter at a time: latency of the full system',
  paper: null,
  runs: `each of the 27 open parameters and each number that was not measured at its two ends, everything else at default; means of ${CASES} cases; full system unless a row is named`,
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const ends = new Ends(bench, await open());
    const found: { bar: Swept; base: number; low: number; high: number }[] = [];
    const unasked: { number: number; reason: string }[] = [];
    for (const bar of [...optionBars(), ...machineBars(bench)]) {
      const base = await ends.seconds(bar.row, {});
      const low = await ends.seconds(bar.row, bar.low, bar.machine?.[0]);
      const high = await ends.seconds(bar.row, bar.high, bar.machine?.[1]);
      if (base === null || low === null || high === null) {
        unasked.push({
          number: bar.item ?? NO_ITEM,
          reason: `${bar.name}: this workload has no such choice`,
        });
      } else found.push({ bar, base, low, high });
    }
    const swing = ({ base, low, high }: (typeof found)[number]): number =>
      (100 * (Math.max(low, high, base) - Math.min(low, high, base))) / base;
    found.sort((a, b) => swing(b) - swing(a));
    const silent = openParameters().flatMap(({ number, noEffect }) =>
      noEffect === undefined ? [] : [{ number, reason: noEffect }],
    );
    const without = [...silent, ...unasked].sort((a, b) => a.number - b.number);
    return {
      parameter: found.map(({ bar }) => (bar.row === FULL_SYSTEM ? bar.name : `${bar.name} [${bar.row}]`)),
      item: found.map(({ bar }) => bar.item ?? NO_ITEM),
      low_text: found.map(({ bar }) => bar.low.text),
      high_text: found.map(({ bar }) => bar.high.text),
      base_s: found.map(({ base }) => base),
      low_s: found.map(({ low }) => low),
      high_s: found.map(({ high }) => high),
      swing_pct: found.map(swing),
      full_system_s: await ends.seconds(FULL_SYSTEM, {}),
      without_bar: without.map(({ number }) => number),
      without_bar_reason: without.map(({ reason }) => reason),
    };
  },
  derive: (ours) => ({
    label: ours.parameter.map((name, i) => {
      const number = ours.item[i] === NO_ITEM ? '' : `${ours.item[i]} `;
      return `${number}${name} (${ours.low_text[i]} to ${ours.high_text[i]})`;
    }),
    without_label: ours.without_bar.map((item, i) => `${item}: no bar (${ours.without_bar_reason[i]})`),
    without_swing: ours.without_bar.map(() => 0),
  }),
  formulas: {
    label: 'item, parameter and its ends',
    without_label: 'without_bar and its reason',
    without_swing: 'nothing moves',
  },
  compare: (ours) => [
    {
      name: 'full system, all defaults',
      unit: 's',
      ours: ours.full_system_s,
      paper: table6Seconds('+SCR'),
      kind: DECIDED,
    },
    ...series(ours.label, (label) => label, { unit: '% of its row', ours: ours.swing_pct, kind: DECIDED }),
    ...series(ours.without_label, (label) => label, {
      unit: '% of its row',
      ours: ours.without_swing,
      kind: DECIDED,
    }),
  ],
  notes: [
    WHO_DECIDED,
    'Numbered as docs/open-parameters.md. A bar without a number is a number of chip or software that was not measured and belongs to no item. In brackets: a row of Table 6 other than the full system.',
  ],
  figure: (ours) => {
    const change = (seconds: number, i: number): number => 100 * (seconds / ours.base_s[i] - 1);
    const rows = ours.parameter.map((name, i) => ({
      name:
        ours.item[i] === NO_ITEM || /^[a-z]+\.[a-z]/.test(name)
          ? parameterWords(name)
          : name.replace('[', 'of ').replace(']', ''),
      lowText: ours.low_text[i],
      highText: ours.high_text[i],
      atLow: change(ours.low_s[i], i),
      atHigh: change(ours.high_s[i], i),
    }));
    return tornadoFigure(rows.slice(0, SHOWN), 0, {
      title: `What open choices and unmeasured numbers change: the ${SHOWN} widest of ${rows.length}`,
      subtitle: 'full system, unless a row of the ladder is named',
      x: 'change of the latency per answer, %',
    });
  },
});
