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
    idea: 'The NPU multiplies whole tiles of 32 rows. A block of 8 tokens leaves 24 of them empty, so guessing ahead costs it almost nothing.',
    look: [
      'Press A, then B, and look at the tile. In A most squares are padding: computed, thrown away. In B lookahead fills them.',
      'Look at the staircase below it: where one row gets logits, 32 rows take hardly longer than 1, and row 33 costs a second tile.',
      'Then at the bottom: B needs fewer steps, so the same answer is there sooner. What still grows with the rows are the logits on the CPU; C asks only where they matter.',
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
      'A maps what is missing whenever an operator needs it: look at the driver lane, and at "mapped" in every step.',
      'B keeps what is used most and copies the rest beside the computation: the staging lane is busy, and nobody waits for it. C has no limit: compare the seconds of A, B and C.',
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
      'Both show tokens from confidence 0.3 on (orange) and keep them from 0.9 (blue): bold, and wrong at first. Step through and look for cells with a ring: their token was revised.',
      'A revises only inside the window. B also refreshes behind it: the refresh lane is the CPU at work beside the step.',
      'Compare the answers and the seconds: B gets the answer right in the same time.',
    ],
    settings: [
      { problem: 7, policy: 'mbsd-sts-sls', options: { 'commit.visible': 0.3 } },
      { problem: 7, policy: 'llada.cpp', options: { 'commit.visible': 0.3 } },
    ],
    show: 1,
  },
];
