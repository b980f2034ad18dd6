import { composePolicy } from '../../src/decode/method/compose.js';
import { type Experiment, numbersOf } from '../comparison/experiment.js';
import { PAPER_WORKLOAD } from '../comparison/words.js';
import { curves } from '../figures/curves.js';
import { type DecodeFacts, decodeFacts } from '../lab/deciders/facts.js';
import { PAPER_PROFILE } from '../lab/deciders/name.js';
import { type SyntheticDecider, syntheticDecider } from '../lab/deciders/synthetic/decider.js';
import {
  PUBLISHED_FORWARDS,
  PUBLISHED_TASKS,
  TASK_SETTING,
} from '../lab/deciders/synthetic/published-tasks.js';
import { denoising, variant } from '../lab/decode-statistics.js';

const CASES = 12;

/** Denoising forwards per answer of 256 tokens. */
async function forwardsOf(
  workload: SyntheticDecider,
  policy: string,
  changes: Readonly<Record<string, unknown>>,
): Promise<number> {
  const composed = composePolicy(variant(policy, changes));
  const facts: DecodeFacts[] = [];
  for (let index = 0; index < CASES; index++)
    facts.push(await decodeFacts(workload, index, { policy: composed, genLength: TASK_SETTING.genLength }));
  return denoising(facts).length / CASES;
}

/** What the confidence process says about LLaDA on other data sets, which it never saw. */
export const forwards: Experiment = {
  name: 'forwards',
  title: 'Published forwards of LLaDA-8B per data set: a test of the confidence process',
  paper: null,
  runs: `256 tokens, blocks of 32 unless said otherwise, ${CASES} cases; denoising passes per answer`,
  workload: PAPER_WORKLOAD,
  stacks: [],
  measure: async (bench) => {
    const { seed } = bench.options;
    const fit = await forwardsOf(syntheticDecider(PAPER_PROFILE, seed), 'threshold', {});
    const perBlock = TASK_SETTING.genLength / TASK_SETTING.blockLength;
    const profiled: number[] = [];
    for (const { task } of PUBLISHED_TASKS)
      profiled.push(await forwardsOf(syntheticDecider(task, seed), 'threshold', {}));
    const others: number[] = [];
    for (const { task, policy, changes, opens } of PUBLISHED_FORWARDS) {
      const found = await forwardsOf(syntheticDecider(task, seed), policy, changes);
      others.push(found + opens * perBlock);
    }
    return {
      task: PUBLISHED_TASKS.map(({ task }) => task),
      published: PUBLISHED_TASKS.map(({ steps }) => steps),
      unprofiled: PUBLISHED_TASKS.map(() => fit),
      profiled,
      case: PUBLISHED_FORWARDS.map(({ task, rule }) => `${task}, ${rule}`),
      source: PUBLISHED_FORWARDS.map(({ source }) => source),
      case_published: PUBLISHED_FORWARDS.map((each) => each.forwards),
      case_forwards: others,
    };
  },
  derived: {
    case_error: '(case_forwards - case_published) ./ case_published',
    task_error: '(unprofiled - published) ./ published',
  },
  rows: [
    {
      name: '{label}, threshold 0.9: nothing but the fit',
      labels: 'task',
      unit: 'forwards',
      ours: 'unprofiled',
      paper: 'published',
      kind: 'predicted',
    },
    {
      name: '{label}, threshold 0.9: bias set by it',
      labels: 'task',
      unit: 'forwards',
      ours: 'profiled',
      paper: 'published',
      kind: 'calibrated',
    },
    {
      name: '{label}',
      labels: 'case',
      unit: 'forwards',
      ours: 'case_forwards',
      kind: 'predicted',
      paper: 'case_published',
    },
    {
      name: 'median absolute error of the predicted cases',
      unit: '%',
      paper: null,
      kind: 'predicted',
      ours: '100 * median(abs(case_error))',
    },
  ],
  notes: [
    "Published here means: by the papers named in the result's column `source`, all with LLaDA-8B-Instruct. The dual-cache and Fast-dLLM++ figures count the pass that opens a block.",
    'Each task profile has one number of its own, a shift of the bias, set so that its first row comes out; text lengths are published too. The rest of the process was fitted to Figures 5b and 8 of llada.cpp.',
    'The confidence process knows nothing of what is right: it predicts work, not answers.',
  ],
  figure: (columns) =>
    curves([
      {
        title: 'Forwards for 256 tokens',
        x: { title: 'published', zero: false },
        y: { title: 'predicted', zero: false },
        series: [
          {
            source: 'here',
            mark: 'points',
            x: [...numbersOf(columns, 'published'), ...numbersOf(columns, 'case_published')],
            y: [...numbersOf(columns, 'unprofiled'), ...numbersOf(columns, 'case_forwards')],
          },
          { source: 'guide', label: 'equal', x: [45, 110], y: [45, 110] },
        ],
      },
    ]),
};
