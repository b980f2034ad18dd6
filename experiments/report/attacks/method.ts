import { join } from 'node:path';
import { readJson } from '../../../src/util/read-file.js';
import type { ReproducedRow } from '../../comparison/result.js';
import { readResults } from '../../comparison/scoreboard.js';
import { tally } from '../../comparison/tally.js';
import type { TuneResult } from '../../studies/tune/run.js';
import { type Attack, type Evidence, found, number } from './evidence.js';

/** How the study counts, searches and checks. */
export function attacksOnMethod({ reference, ladder }: Evidence): Attack[] {
  const rows = readResults(join(reference, 'reproduce')).flatMap((result) =>
    result.rows.map((row) => ({ ...row, study: result.name })),
  );
  const predicted = rows.filter(isPredicted);
  const banded = predicted.filter(({ pass }) => pass !== null);
  const bare = predicted.filter(({ pass, paper }) => pass === null && paper !== null);
  const missed = rows.filter(({ pass }) => pass === false);
  const ofStaging = missed.filter(({ study }) => study === 'fig13c').length;
  const without = tally(bare);
  const far = bare.filter(({ error }) => error !== null && Math.abs(error) > 0.25).length;
  const verified = ladder.rows.reduce(
    (sum, { token_exact }) => sum + (token_exact.specification?.rows ?? 0),
    0,
  );
  const wrong = ladder.rows.reduce(
    (sum, { token_exact }) => sum + (token_exact.specification?.mismatches ?? 0),
    0,
  );
  const { met, missed: off } = tally(banded);
  return [
    {
      attack: "The paper's numbers went in, so they came out",
      answer: `Two of its figures did (5b, 8). Of the bands of what was predicted ${met} are met and ${off} missed`,
    },
    {
      attack: 'Only rows with a band are counted',
      answer: `${bare.length} predicted rows have a published value and no band: median error ${(100 * number(without.medianError, 'rows without a band')).toFixed(0)} %, ${far} of them off by more than 25 %`,
    },
    {
      attack: 'One figure makes the score',
      answer: `${ofStaging} of ${missed.length} missed bands are Figure 13c's; without it ${missed.length - ofStaging} of ${rows.filter(({ pass, study }) => pass !== null && study !== 'fig13c').length} are missed`,
    },
    { attack: 'The winner was searched for', answer: searchAnswer(reference) },
    {
      attack: 'Verification looks at a sample',
      answer: `It does: ${verified.toLocaleString('en-US')} predictions of the ladder recomputed without cache or window, ${wrong} differ; other prompts and steps were not looked at`,
    },
  ];
}

const isPredicted = ({ kind }: ReproducedRow): boolean => kind === 'predicted';

function searchAnswer(reference: string): string {
  const { screened, confirmed, options } = readJson(join(reference, 'tune', 'tune.json')) as TuneResult;
  const best = found(
    [...confirmed].sort((a, b) => a.seconds - b.seconds),
    ({ nonInferior }) => nonInferior,
    'policy that is not inferior',
  );
  const points = (share: number): string => (100 * share).toFixed(1);
  return `${screened.length} policies on ${options.screen} problems, ${confirmed.length} of them on ${options.confirm} others, intervals for all comparisons at once: ${best.policy} is off by ${points(best.difference.value)} points [${points(best.difference.low)}, ${points(best.difference.high)}]`;
}
