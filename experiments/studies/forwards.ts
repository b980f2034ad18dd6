import { mean, median } from '../../src/score/statistics/samples.js';
import { caseIntervals } from '../comparison/case-intervals.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { PAPER_WORKLOAD } from '../comparison/words.js';
import { latencies } from '../figures/bars.js';
import { dataSetWords } from '../figures/words.js';
import { type DecodeFacts, decodeFacts } from '../lab/deciders/facts.js';
import { PAPER_PROFILE } from '../lab/deciders/name.js';
import { type SyntheticDecider, syntheticDecider } from '../lab/deciders/synthetic/decider.js';
import {
  PUBLISHED_FORWARDS,
  PUBLISHED_TASKS,
  TASK_SETTING,
} from '../lab/deciders/synthetic/published-tasks.js';
import { denoising, inTurn, variant } from '../lab/decode-statistics.js';
import { openPolicy } from '../lab/open.js';

const CASES = 12;

/** Denoising forwards of every case, an answer of 256 tokens each. */
async function forwardsOf(
  workload: SyntheticDecider,
  policy: string,
  changes: Readonly<Record<string, unknown>>,
): Promise<number[]> {
  const composed = openPolicy(variant(policy, changes));
  const facts: DecodeFacts[] = [];
  for (let index = 0; index < CASES; index++)
    facts.push(await decodeFacts(workload, index, { policy: composed, genLength: TASK_SETTING.genLength }));
  return facts.map((each) => denoising([each]).length);
}

/** What the confidence process says about LLaDA on other data sets, which it never saw. */
export const forwards = defineStudy({
  name: 'forwards',
  title: 'Published forwards of LLaDA-8B per data set: a test of the confidence process',
  paper: null,
  // Its own lengths and data sets, on no chip.
  conditions: { dataset: null, genLength: null },
  runs: `256 tokens, blocks of 32 unless said otherwise, ${CASES} cases; denoising passes per answer`,
  workload: PAPER_WORKLOAD,
  stacks: [],
  measure: async (bench) => {
    const { seed } = bench.options;
    const fit = await forwardsOf(syntheticDecider(PAPER_PROFILE, seed), 'threshold', {});
    const perBlock = TASK_SETTING.genLength / TASK_SETTING.blockLength;
    const profiled = await inTurn(PUBLISHED_TASKS, ({ task }) =>
      forwardsOf(syntheticDecider(task, seed), 'threshold', {}),
    );
    const others = await inTurn(PUBLISHED_FORWARDS, async ({ task, policy, changes, opens }) => {
      const found = await forwardsOf(syntheticDecider(task, seed), policy, changes);
      return found.map((each) => each + opens * perBlock);
    });
    const ends = caseIntervals([fit, ...others], mean, seed);
    const [fitLow, ...caseLow] = ends.low;
    const [fitHigh, ...caseHigh] = ends.high;
    return {
      task: PUBLISHED_TASKS.map(({ task }) => task),
      published: PUBLISHED_TASKS.map(({ steps }) => steps),
      unprofiled: PUBLISHED_TASKS.map(() => mean(fit)),
      unprofiled_low: PUBLISHED_TASKS.map(() => fitLow),
      unprofiled_high: PUBLISHED_TASKS.map(() => fitHigh),
      profiled: profiled.map(mean),
      case: PUBLISHED_FORWARDS.map(({ task, rule }) => `${task}, ${rule}`),
      source: PUBLISHED_FORWARDS.map(({ source }) => source),
      case_published: PUBLISHED_FORWARDS.map((each) => each.forwards),
      case_forwards: others.map(mean),
      case_low: caseLow,
      case_high: caseHigh,
    };
  },
  derive: (ours) => {
    const error = (found: readonly number[], published: readonly number[]): number[] =>
      found.map((value, i) => (value - published[i]) / published[i]);
    return {
      case_error: error(ours.case_forwards, ours.case_published),
      task_error: error(ours.unprofiled, ours.published),
    };
  },
  formulas: {
    case_error: '(case_forwards - case_published) / case_published',
    task_error: '(unprofiled - published) / published',
  },
  compare: (ours) => [
    ...series(ours.task, (task) => `${task}, threshold 0.9: nothing but the fit`, {
      unit: 'forwards',
      ours: ours.unprofiled,
      cases: { low: ours.unprofiled_low, high: ours.unprofiled_high },
      paper: ours.published,
      kind: 'predicted',
    }),
    ...series(ours.task, (task) => `${task}, threshold 0.9: bias set by it`, {
      unit: 'forwards',
      ours: ours.profiled,
      paper: ours.published,
      kind: 'calibrated',
    }),
    ...series(ours.case, (name) => name, {
      unit: 'forwards',
      ours: ours.case_forwards,
      cases: { low: ours.case_low, high: ours.case_high },
      kind: 'predicted',
      paper: ours.case_published,
    }),
    {
      name: 'median absolute error of the predicted cases',
      unit: '%',
      paper: null,
      kind: 'predicted',
      ours: 100 * median(ours.case_error.map(Math.abs)),
    },
  ],
  notes: [
    "Published here means: by the papers named in the result's column `source`, all with LLaDA-8B-Instruct. The dual-cache and Fast-dLLM++ figures count the pass that opens a block.",
    'Each task profile has one number of its own, a shift of the bias, set so that its first row comes out; text lengths are published too. The rest of the process was fitted to Figures 5b and 8 of llada.cpp.',
    'The confidence process knows nothing of what is right: it predicts work, not answers.',
  ],
  figure: (ours) =>
    latencies({
      names: [...ours.task.map((task) => `${task}, threshold 0.9`), ...ours.case].map(dataSetWords),
      axis: 'denoising forwards for an answer of 256 tokens',
      groups: [
        {
          name: 'Published forwards of LLaDA-8B, and predicted ones',
          ours: [...ours.unprofiled, ...ours.case_forwards],
          low: [...(ours.unprofiled_low ?? []), ...(ours.case_low ?? [])],
          high: [...(ours.unprofiled_high ?? []), ...(ours.case_high ?? [])],
          paper: [...ours.published, ...ours.case_published],
        },
      ],
    }),
});
