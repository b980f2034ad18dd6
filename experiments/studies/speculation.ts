import { LLADA_CPP } from '../comparison/decodes.js';
import { DECIDED, type Experiment, numbersOf } from '../comparison/experiment.js';
import { PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { denoising, meanForwards, meanOf, meanSeconds, variant } from '../lab/decode-statistics.js';

/** Blocks of 8 on tiles of 32: three quarters of every pass would be empty rows. */
const BLOCK = 8;
const APPROXIMATE = { blockLength: BLOCK, 'window.size': 32, 'window.lookahead': null };
const VARIANTS = [
  ['one per step, 8 rows', () => variant('block-kv', { blockLength: BLOCK })],
  ['exact, up to 32 rows', () => variant('exact-speculation', {})],
  ['approximate MBSD, 32 rows', () => variant('mbsd', APPROXIMATE)],
  ['threshold, 8 rows', () => variant('threshold', { blockLength: BLOCK })],
  ['exact threshold, up to 32 rows', () => variant('exact-speculation-threshold', {})],
  ['MBSD + threshold, 32 rows', () => variant('mbsd', { ...APPROXIMATE, 'commit.kind': 'threshold' })],
] as const;

/** Two uses of the rows that a tile wastes: drafts that change the text, and drafts that cannot. */
export const speculation: Experiment = {
  name: 'speculation',
  title: 'Exact speculation against approximate MBSD at equal rows',
  paper: null,
  runs: 'blocks of 8 and at most 32 rows per pass, one tile; llada.cpp with SOMR',
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (_, open) => {
    const decodes = await open();
    const columns = { seconds: [], forwards: [], rows_per_pass: [], drafts_accepted: [] } as Record<
      string,
      number[]
    >;
    for (const [, spec] of VARIANTS) {
      const facts = await decodes.run(spec(), LLADA_CPP);
      columns.seconds?.push(meanSeconds(facts));
      columns.forwards?.push(meanForwards(facts));
      columns.rows_per_pass?.push(meanOf(denoising(facts).map(({ rows }) => rows)));
      columns.drafts_accepted?.push(meanOf(facts.map((each) => each.draftsAccepted)));
    }
    return { variant: VARIANTS.map(([name]) => name), ...columns };
  },
  derived: {
    gain: 'concat(seconds[1] ./ seconds[1:3], seconds[4] ./ seconds[4:6])',
    exact_over_approximate: '[seconds[2] / seconds[3], seconds[5] / seconds[6]]',
  },
  rows: [
    { name: '{label}', labels: 'variant', unit: 's', ours: 'seconds', paper: null, kind: DECIDED },
    {
      name: '{label}: gain over no speculation',
      labels: 'variant',
      unit: 'x',
      ours: 'gain',
      paper: null,
      kind: DECIDED,
    },
    { name: '{label}: forwards', labels: 'variant', unit: '', ours: 'forwards', paper: null, kind: DECIDED },
    {
      name: 'exact over approximate, {label}',
      labels: '["one per step", "threshold"]',
      unit: 'x',
      ours: 'exact_over_approximate',
      paper: null,
      kind: DECIDED,
    },
  ],
  notes: [
    WHO_DECIDED,
    'Exact speculation writes the very tokens of its baseline (`dllm-npu verify`); approximate MBSD accepts any draft at confidence 0.9 and writes others. How often drafts are right depends on who decides: the process calls a best token of confidence c the final one with probability c.',
  ],
  figure: (columns) =>
    bars([
      {
        title: 'One answer of 128 tokens',
        unit: 'seconds',
        names: VARIANTS.map(([name]) => name),
        values: numbersOf(columns, 'seconds'),
      },
      {
        title: 'Gain over its baseline',
        unit: 'x',
        names: VARIANTS.map(([name]) => name),
        values: numbersOf(columns, 'gain'),
      },
    ]),
};
