import { baseText } from '../../../sim/hardware/quantity.js';
import { parametersOf } from '../../../sim/sensitivity/parameters.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { tornado as tornadoFigure } from '../../figures/tornado.js';
import type { Bench, MachineChoice } from '../bench.js';
import { meanSeconds, variant } from '../decode-statistics.js';
import { LLADA_CPP } from '../decodes.js';
import { DECIDED, type Experiment, numbersOf } from '../experiment.js';
import { PAPER_WORKLOAD, WHO_DECIDED } from '../words.js';

const CASES = 6;
/** Bars of the figure; the table has all. */
const SHOWN = 20;

interface End {
  readonly text: string;
  readonly changes?: Readonly<Record<string, unknown>>;
  readonly machine?: Partial<MachineChoice>;
}

/** One open parameter at its two ends, everything else at its default. */
interface Bar {
  /** Number in the list of what the paper leaves open. */
  readonly item: number;
  readonly name: string;
  readonly low: End;
  readonly high: End;
}

const option = (item: number, name: string, low: End, high: End): Bar => ({ item, name, low, high });
const set = (text: string, changes: Readonly<Record<string, unknown>>): End => ({ text, changes });
const DEFAULT: End = { text: 'default' };

/** Options of decoding. Where an option has two values, the default is one end. */
export const OPTIONS: readonly Bar[] = [
  option(
    1,
    'confidence',
    set('margin', { confidence: 'margin' }),
    set('neg-entropy', { confidence: 'neg-entropy' }),
  ),
  option(2, 'falling V', DEFAULT, set('demote', { 'revise.falling': 'demote' })),
  option(3, 'refresh fed', DEFAULT, set('mask', { 'refresh.feed': 'mask', 'refresh.order': 'random' })),
  option(
    4,
    'refreshes per step',
    set('1', { 'refresh.perStep': 1, 'refresh.maxInFlight': 1, 'refresh.batch': 1 }),
    set('32', { 'refresh.perStep': 32, 'refresh.maxInFlight': 32, 'refresh.batch': 32 }),
  ),
  option(
    4,
    'refresh order',
    set('lowest', { 'refresh.order': 'lowest-confidence' }),
    set('random', { 'refresh.order': 'random' }),
  ),
  option(5, 'refresh sees', DEFAULT, set('window too', { 'refresh.scope': 'prefix+window' })),
  option(6, 'refreshed', DEFAULT, set('dependents too', { 'refresh.what': 'self+dependents' })),
  option(
    7,
    'late refresh',
    set('dropped', { 'refresh.maxAgeSteps': 0 }),
    set('waited for', { 'refresh.late': 'block' }),
  ),
  option(8, 'final V', DEFAULT, set('sweep 2', { 'final.kind': 'sweep', 'final.passes': 2 })),
  option(9, 'trigger 4', DEFAULT, set('strict', { 'window.lookahead.inclusive': false })),
  option(
    10,
    'allowance',
    set('0', { 'window.lookahead.allowanceRatio': 0 }),
    set('2', { 'window.lookahead.allowanceRatio': 2, 'window.lookahead.maxRows': 64 }),
  ),
  option(
    11,
    'lookahead rows',
    set('8', { 'window.lookahead.maxRows': 8 }),
    set('96', { 'window.lookahead.maxRows': 96, 'window.lookahead.allowanceRatio': 3 }),
  ),
  option(12, 'slide past', DEFAULT, set('S only', { 'window.past': 'stable' })),
  option(
    13,
    'window',
    DEFAULT,
    set('keeps the block', { 'window.kind': 'block', 'speculate.kind': 'none', 'cache.seal': 'pass' }),
  ),
  option(
    14,
    'draft accepted at',
    set('0.7', { 'speculate.acceptConfidence': 0.7, 'speculate.feedConfidence': 0.7 }),
    set('0.99', { 'speculate.acceptConfidence': 0.99, 'speculate.feedConfidence': 0.99 }),
  ),
  option(14, 'draft fed', DEFAULT, set('as mask', { 'speculate.feed': 'mask' })),
  option(14, 'draft must repeat', DEFAULT, set('yes', { 'speculate.requireEqual': true })),
  option(17, 'prefix KV', DEFAULT, set('as decided', { 'cache.seal': 'as-is' })),
  option(18, 'logits', DEFAULT, set('all rows', { logits: 'all' })),
  option(19, 'memory', DEFAULT, { text: 'on demand', machine: { memory: 'on-demand' } }),
];

/** Open items that the numbers of the machine stand for. */
const ITEM_OF: readonly (readonly [RegExp, number])[] = [
  [/refreshThreads|headSpeedup|samplePerLogit|cpuThreads/, 18],
  [/slotBytes/, 19],
  [/map|window\.|mapper|alignment/i, 20],
  [/attention/, 22],
];
const OTHER_NUMBER = 21;

/** Numbers of the machine that were not measured, at both ends of their ranges. */
function machineBars(bench: Bench): Bar[] {
  return parametersOf(bench.hardware, stackByName('llada.cpp')).map(
    ({ name, dimension, range, integral }) => {
      const end = (value: number): End => {
        const text = baseText(integral ? Math.round(value) : Number(value.toPrecision(3)), dimension);
        const stack = name.startsWith('stack.');
        const changed = { [stack ? name.slice('stack.'.length) : name]: text };
        return { text, machine: stack ? { software: changed } : { hardware: changed } };
      };
      const item = ITEM_OF.find(([pattern]) => pattern.test(name))?.[1] ?? OTHER_NUMBER;
      return { item, name, low: end(range[0]), high: end(range[1]) };
    },
  );
}

export const tornado: Experiment = {
  name: 'tornado',
  title: 'What the paper leaves open, one parameter at a time: latency of the full system',
  paper: null,
  runs: `full system with each option and each number that was not measured at its two ends, everything else at default; means of ${CASES} cases`,
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const decodes = await open();
    const at = async ({ changes, machine }: End): Promise<number> => {
      const spec = variant('llada.cpp', changes ?? {});
      return meanSeconds(await decodes.run(spec, { ...LLADA_CPP, ...machine }, CASES));
    };
    const all = [...OPTIONS, ...machineBars(bench)];
    const base = await at({ text: '' });
    const found: { bar: Bar; low: number; high: number }[] = [];
    for (const bar of all) found.push({ bar, low: await at(bar.low), high: await at(bar.high) });
    const swing = ({ low, high }: { low: number; high: number }): number =>
      Math.max(low, high, base) - Math.min(low, high, base);
    found.sort((a, b) => swing(b) - swing(a));
    return {
      parameter: found.map(({ bar }) => bar.name),
      item: found.map(({ bar }) => bar.item),
      low_text: found.map(({ bar }) => bar.low.text),
      high_text: found.map(({ bar }) => bar.high.text),
      low_s: found.map(({ low }) => low),
      high_s: found.map(({ high }) => high),
      swing_s: found.map(swing),
      base_s: [base],
    };
  },
  derived: {
    swing_pct: '100 * swing_s / base_s[1]',
    label:
      'map(1:size(item)[1], f(i) = concat(string(item[i]), " ", parameter[i], " (", low_text[i], " to ", high_text[i], ")"))',
  },
  rows: [
    { name: 'full system, all defaults', unit: 's', ours: 'base_s[1]', paper: '16.1', kind: DECIDED },
    { name: '{label}', labels: 'label', unit: '% of it', ours: 'swing_pct', paper: null, kind: DECIDED },
  ],
  notes: [
    WHO_DECIDED,
    'Numbered as the list of what the paper leaves open. Not in it: 15 and 16 (rows below the full system), 23 (prompts), 24 (energy only), 25 to 27 (what to report). 21 stands for all numbers of the machine that belong to no other item.',
  ],
  figure: (columns) => {
    const texts = (name: string): string[] => (columns[name] ?? []).map(String);
    const base = numbersOf(columns, 'base_s')[0] ?? 0;
    const rows = texts('parameter').map((name, i) => ({
      name: `${texts('item')[i] ?? ''} ${name}`,
      lowText: texts('low_text')[i] ?? '',
      highText: texts('high_text')[i] ?? '',
      atLow: numbersOf(columns, 'low_s')[i] ?? base,
      atHigh: numbersOf(columns, 'high_s')[i] ?? base,
    }));
    return tornadoFigure(rows.slice(0, SHOWN), base, {
      title: `The ${SHOWN} largest of ${rows.length} open parameters`,
      x: 'seconds per answer, full system',
    });
  },
};
