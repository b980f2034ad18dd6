import type { SettingInput } from '../setting/setting.js';

/** A lesson: settings to compare, and what to look at. */
export interface Guide {
  readonly title: string;
  /** The claim, in a sentence. */
  readonly idea: string;
  /** What to do and see, in order. */
  readonly look: readonly string[];
  readonly settings: readonly SettingInput[];
  /** Setting that is shown first. */
  readonly show: number;
}

// Every number that a lesson speaks of is on the page, computed from the settings: none is written here.

export const GUIDES: readonly Guide[] = [
  {
    title: '32 rows for the price of one',
    idea: 'The NPU multiplies whole tiles of 32 rows. A block of 8 tokens leaves 24 of them empty, so guessing ahead costs the matrix unit nothing.',
    look: [
      'Step through A, then B, and look at the tile on the right. In A most squares stay empty: computed, thrown away. In B lookahead fills them whenever few masks are left.',
      'Look at the staircase below it: where one row gets logits, 32 rows take hardly longer than 1, and row 33 costs a second tile.',
      'Then side by side, below: B needs far fewer steps, and its answer is there sooner. What does grow with the rows are the logits, which the CPU computes: C asks for them only where a token can still change.',
    ],
    settings: [
      { policy: 'block-kv', blockLength: 8 },
      { policy: 'mbsd', blockLength: 8 },
      { policy: 'mbsd-sts-sls', blockLength: 8 },
    ],
    show: 0,
  },
  {
    title: 'The window',
    idea: 'The NPU can address only a part of an 8B model at a time. What does not fit must be brought in again in every step.',
    look: [
      'Look at the address window in the machine panel: the striped part has no address.',
      'A maps what is missing whenever an operator needs it: the driver lane is busy while everything else waits, and "mapped" says how much in every step.',
      'B keeps most weights mapped and copies the rest into two slots beside the computation: the staging lane is busy, and nobody waits for it. C has no limit. Compare the seconds of all three.',
    ],
    settings: [
      { policy: 'threshold', memory: 'on-demand' },
      { policy: 'threshold', memory: 'somr' },
      { policy: 'threshold', memory: 'unlimited' },
    ],
    show: 0,
  },
  {
    title: 'Revision',
    idea: 'A token may be shown early and still change. The CPU, idle meanwhile, scores old ones again beside the NPU.',
    look: [
      'Both show tokens from confidence 0.3 on (orange) and keep them from 0.9 (blue): bold, and wrong at first. "Next revision" goes to the steps that changed a token: it has a ring.',
      'A revises only inside the window. B also refreshes behind it: the refresh lane is the CPU at work beside the step.',
      'Below: B gets the answer right in the same time. The problem was picked because it shows this; so bold a threshold leaves most others wrong.',
    ],
    settings: [
      { problem: 7, policy: 'mbsd-sts-sls', options: { 'commit.visible': 0.3 } },
      { problem: 7, policy: 'llada.cpp', options: { 'commit.visible': 0.3 } },
    ],
    show: 1,
  },
];
