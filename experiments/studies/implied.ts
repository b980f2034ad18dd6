import { CheckError, UsageError } from '../../src/errors.js';
import { Random } from '../../src/score/random.js';
import { type Proportion, simultaneousZ, wilson } from '../../src/score/statistics/proportion.js';
import { series } from '../comparison/compare.js';
import { type Decodes, LLADA_CPP } from '../comparison/decodes.js';
import { defineStudy } from '../comparison/study.js';
import { PAPER_WORKLOAD } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { meanSeconds, variant } from '../lab/decode-statistics.js';
import { type Bar, openParameters } from '../open-parameters/items.js';
import { table6Seconds } from '../paper/numbers.js';
import { LADDER } from './ladder/ladder.js';

/** Draws of all open parameters together, and cases of each. */
const DRAWS = 1000;
const CASES = 2;
/** Share of the draws that is kept: those nearest to the paper. */
const KEPT = 0.1;
/** Fewer draws say nothing: choices that contradict many others are rarely drawn. */
const LEAST_DRAWS = 10;

/**
 * What the draws are held against, with the factor that counts as one unit of distance: about the bands of the claims
 * (MBSD 1.05 to 1.35, STS 2.5 to 5, SLS and SCR within a tenth, the total within a quarter).
 */
const OBSERVED = [
  { name: 'gain of MBSD', from: '+SOMR', to: '+MBSD', unit: 1.1 },
  { name: 'gain of STS', from: '+MBSD', to: '+STS', unit: 1.25 },
  { name: 'gain of SLS and SCR', from: '+STS', to: '+SCR', unit: 1.1 },
  { name: 'full system over + SOMR', from: '+SOMR', to: '+SCR', unit: 1.25 },
] as const;

const RUNGS = ['+ SOMR', '+ MBSD', '+ STS', '+ SCR'] as const;
type Rung = (typeof RUNGS)[number];

/** A choice of one open parameter. */
interface Choice {
  readonly number: number;
  readonly parameter: string;
  readonly name: string;
  /** Ends by their texts; the default is the first. */
  readonly ends: readonly { readonly text: string; readonly changes: Readonly<Record<string, unknown>> }[];
}

const DEFAULT = 'default';

function choicesOf(): Choice[] {
  return openParameters().flatMap(({ number, parameter, bars: own }) =>
    own.flatMap((bar): Choice[] => {
      const ends = endsOf(bar);
      return bar.row !== '+ SCR' || ends.length < 2 ? [] : [{ number, parameter, name: bar.name, ends }];
    }),
  );
}

function endsOf({ standard, low, high }: Bar): Choice['ends'] {
  const changed = [low, high].flatMap(({ text, policy }) =>
    policy === undefined ? [] : [{ text, changes: policy }],
  );
  return [{ text: standard === undefined ? DEFAULT : `${standard} (${DEFAULT})`, changes: {} }, ...changed];
}

/** Parts of a policy that a rung has besides window, drafts and cache. */
const PARTS: Readonly<Record<Rung, readonly string[]>> = {
  '+ SOMR': ['confidence'],
  '+ MBSD': ['confidence', 'window', 'speculate', 'cache'],
  '+ STS': ['confidence', 'window', 'speculate', 'cache', 'revise'],
  '+ SCR': ['confidence', 'window', 'speculate', 'cache', 'revise', 'refresh', 'final', 'logits'],
};

async function secondsOf(
  decodes: Decodes,
  rung: Rung,
  changes: Readonly<Record<string, unknown>>,
): Promise<number> {
  const row = LADDER.find(({ name }) => name === rung);
  if (row === undefined) throw new CheckError(`the ladder has no row ${rung}`);
  const own = Object.entries(changes).filter(([path]) => PARTS[rung].includes(path.split('.')[0]));
  return meanSeconds(await decodes.run(variant(row.policy, Object.fromEntries(own)), LLADA_CPP, CASES));
}

/** Distance of one draw from the paper; 1: every observed gain is one unit off. */
function distanceOf(seconds: Readonly<Record<Rung, number>>): number {
  const spelled = (row: string) => seconds[row.replace('+', '+ ') as Rung];
  const squares = OBSERVED.map(({ from, to, unit }) => {
    const ours = spelled(from) / spelled(to);
    const paper = table6Seconds(from) / table6Seconds(to);
    return (Math.log(ours / paper) / Math.log(unit)) ** 2;
  });
  return Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
}

/** Monte-Carlo standard error of a share of draws. */
function standardError({ successes, n }: Proportion): number {
  const p = successes / n;
  return Math.sqrt((p * (1 - p)) / n);
}

interface Draw {
  /** Of each choice, the index of its end. */
  readonly picked: readonly number[];
  readonly distance: number;
}

async function draws(
  decodes: Decodes,
  choices: readonly Choice[],
  seed: number,
): Promise<{ made: Draw[]; refused: number }> {
  const random = new Random(seed);
  const made: Draw[] = [];
  let refused = 0;
  while (made.length < DRAWS) {
    const picked = choices.map(({ ends }) => random.integer(0, ends.length - 1));
    const changes = Object.assign({}, ...choices.map(({ ends }, i) => ends[picked[i]].changes)) as Readonly<
      Record<string, unknown>
    >;
    try {
      const seconds = {} as Record<Rung, number>;
      for (const rung of RUNGS) seconds[rung] = await secondsOf(decodes, rung, changes);
      made.push({ picked, distance: distanceOf(seconds) });
    } catch (error) {
      // Some choices contradict each other: the schema says so, and the draw does not count.
      if (!(error instanceof UsageError)) throw error;
      refused++;
    }
  }
  return { made, refused };
}

export const implied = defineStudy({
  name: 'implied',
  title: "What the paper's numbers imply for its 27 open parameters",
  paper: null,
  runs: `${DRAWS} draws of all open parameters of the decoder at once, ${CASES} cases each; the ${100 * KEPT} % nearest to Table 6 are kept`,
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const choices = choicesOf();
    const { made, refused } = await draws(await open(), choices, bench.options.seed);
    const nearest = [...made].sort((a, b) => a.distance - b.distance);
    const kept = nearest.slice(0, Math.round(KEPT * made.length));
    const z = simultaneousZ(choices.reduce((sum, { ends }) => sum + ends.length, 0));
    const cells = choices.flatMap(({ number, parameter, name, ends }, choice) =>
      ends.map(({ text }, end) => {
        const having = (of: readonly Draw[]) => of.filter(({ picked }) => picked[choice] === end).length;
        const share = wilson(having(kept), Math.max(1, having(made)), z);
        const speaks =
          share.n < LEAST_DRAWS
            ? 'too few draws'
            : share.low > KEPT
              ? 'for it'
              : share.high < KEPT
                ? 'against it'
                : 'nothing';
        return {
          number,
          parameter: `${parameter}: ${name}`,
          value: text,
          draws: having(made),
          share,
          speaks,
        };
      }),
    );
    const drawn = new Set(choices.map(({ number }) => number));
    const others = openParameters().filter(({ number }) => !drawn.has(number));
    return {
      number: [...cells.map((each) => each.number), ...others.map((each) => each.number)],
      parameter: [...cells.map((each) => each.parameter), ...others.map((each) => each.parameter)],
      value: [...cells.map((each) => each.value), ...others.map(() => 'not drawn')],
      draws: [...cells.map((each) => each.draws), ...others.map(() => null)],
      kept: [...cells.map(({ share }) => share.successes), ...others.map(() => null)],
      kept_pct: [...cells.map(({ share }) => (100 * share.successes) / share.n), ...others.map(() => null)],
      error_pct: [...cells.map(({ share }) => 100 * standardError(share)), ...others.map(() => null)],
      low_pct: [...cells.map(({ share }) => 100 * share.low), ...others.map(() => null)],
      high_pct: [...cells.map(({ share }) => 100 * share.high), ...others.map(() => null)],
      says: [
        ...cells.map(({ speaks }) => speaks),
        ...others.map(
          ({ noEffect }) =>
            noEffect ?? 'acts on machine, prompt or another row: no gain of decoding depends on it alone',
        ),
      ],
      refused,
      accepted: kept.length,
      furthest_kept: kept[kept.length - 1].distance,
      within_one: made.filter(({ distance }) => distance <= 1).length,
      nearest: nearest[0].distance,
      nearest_values: choices.flatMap(({ name, ends }, i) =>
        nearest[0].picked[i] === 0 ? [] : [`${name} ${ends[nearest[0].picked[i]].text}`],
      ),
      median_distance: nearest[Math.floor(nearest.length / 2)].distance,
    };
  },
  derive: (ours) => ({
    identified: ours.says.filter((says) => says === 'for it' || says === 'against it').length,
  }),
  formulas: { identified: 'values of which the interval of kept_pct leaves out the share that is kept' },
  compare: (ours) => [
    ...series(
      ours.number.map((_, i) => i).filter((i) => ours.kept_pct[i] !== null),
      (i) => `${ours.number[i]} ${ours.parameter[i]}: ${ours.value[i]} (says ${ours.says[i]})`,
      {
        unit: '% kept',
        kind: 'ordering',
        ours: ours.kept_pct.filter((value) => value !== null),
      },
    ),
    { name: 'draws that are kept', unit: `of ${DRAWS}`, kind: 'ordering', paper: null, ours: ours.accepted },
    {
      name: 'distance of the furthest draw that is kept',
      unit: 'bands',
      kind: 'ordering',
      paper: null,
      ours: ours.furthest_kept,
    },
    {
      name: 'draws of which the gains miss Table 6 by one band or less (root mean square)',
      unit: `of ${DRAWS}`,
      kind: 'ordering',
      paper: null,
      ours: ours.within_one,
    },
    {
      name: 'values that the paper speaks for or against',
      unit: '',
      kind: 'ordering',
      paper: null,
      ours: ours.identified,
    },
    {
      name: `distance of the nearest draw (1: every gain one band off): ${ours.nearest_values.join(', ')}`,
      unit: '',
      kind: 'ordering',
      paper: null,
      ours: ours.nearest,
    },
  ],
  table: (ours) =>
    ours.number.map((number, i) => ({
      number,
      parameter: ours.parameter[i],
      value: ours.value[i],
      draws: ours.draws[i],
      kept: ours.kept[i],
      keptPct: ours.kept_pct[i],
      errorPct: ours.error_pct[i],
      lowPct: ours.low_pct[i],
      highPct: ours.high_pct[i],
      says: ours.says[i],
    })),
  notes: [
    `Rejection: every parameter at its default or one of its two ends with equal chance, all at once; kept are the ${100 * KEPT} % of the draws whose gains of MBSD, STS, SLS with SCR, and total over + SOMR are nearest to Table 6. keptPct is the share of the draws with a value that is kept, errorPct its Monte-Carlo standard error, both in points. A value whose interval (Wilson; all values hold together in 95 % of cases, Bonferroni) leaves out ${100 * KEPT} % is spoken for or against.`,
    'Figures 5b and 8 made the process that decides, so they cannot speak; Figure 13a needs a run per trigger and Figure 13b has no unit: neither is used. The step time divides out of a gain.',
    'A posterior under this process, these priors and these tolerances: where no draw comes near (see the distance), it says which values are less wrong, not which are right.',
  ],
  figure: (ours) => {
    const told = ours.number
      .map((_, i) => i)
      .filter((i) => ours.says[i] === 'for it' || ours.says[i] === 'against it');
    const shown = told.length > 0 ? told : [0];
    return bars([
      {
        title: 'Share of the draws with this value that is kept',
        axis: 'draws that are kept, %',
        names: shown.map((i) => `${ours.parameter[i]}: ${ours.value[i]}`),
        values: shown.map((i) => ours.kept_pct[i]),
        low: shown.map((i) => ours.low_pct[i]),
        high: shown.map((i) => ours.high_pct[i]),
      },
    ]);
  },
});
