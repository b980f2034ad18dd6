import { describe, expect, it } from 'vitest';
import { WORKBENCH_DEFAULTS } from '../../experiments/comparison/options.js';
import { Workbench } from '../../experiments/comparison/workbench.js';
import type { DecodeFacts } from '../../experiments/lab/deciders/facts.js';
import {
  committedBelow,
  firstCommitByPosition,
  skippableShare,
  tailShare,
  tokensPerStep,
  variant,
  visibleShare,
} from '../../experiments/lab/decode-statistics.js';

const commit = (offset: number, confidence: number) => ({ offset, confidence });
/** Two blocks of two positions; text ends before the second one. */
const facts: DecodeFacts = {
  denoise: [
    { block: 0, blockStep: 1, masksBefore: 2, rows: 2, stableRows: 0, commits: [commit(0, 0.95)] },
    { block: 0, blockStep: 2, masksBefore: 1, rows: 2, stableRows: 1, commits: [commit(1, 0.4)] },
    { block: 1, blockStep: 1, masksBefore: 2, rows: 2, stableRows: 0, commits: [commit(2, 1), commit(3, 1)] },
  ],
  forwards: 6,
  visibleAtBlockEnd: [1, 0],
  refreshes: 0,
  draftsAccepted: 0,
  answer: null,
  textTokens: 2,
  mainRows: [],
  timings: null,
  seconds: null,
};

describe('statistics of decodes', () => {
  it('count what they say', () => {
    expect(firstCommitByPosition([facts], 2)).toEqual([1, 2]);
    expect(tailShare([facts], 1)).toBeCloseTo(100 / 3);
    expect(tailShare([facts], 2)).toBe(100);
    expect(tokensPerStep([facts], 4)).toBeCloseTo(4 / 3);
    expect(committedBelow([facts], 0.9)).toBe(25);
    // 0.95 itself is not below it.
    expect(committedBelow([facts], 0.95)).toBe(25);
    expect(tailShare([facts], 0)).toBe(0);
    // A third token of text, and the second block counts.
    expect(firstCommitByPosition([{ ...facts, textTokens: 3 }], 2)).toEqual([1, 1.5]);
    expect(skippableShare([facts])).toBeCloseTo(100 / 6);
    expect(visibleShare([facts], 4)).toBe(25);
  });

  it('times a decode alike on a machine that has timed others, also when several are asked for at once', async () => {
    const small = { costModel: 'tinyllama-1.1b', workload: 'synthetic', prompts: 2, genLength: 64 };
    const options = { ...WORKBENCH_DEFAULTS, ...small };
    const on = (memory: 'somr' | 'on-demand') => ({ stack: 'llada.cpp', memory }) as const;
    const asked = [
      ['llada.cpp', on('somr')],
      ['mbsd', on('on-demand')],
      ['mbsd', on('somr')],
    ] as const;
    const shared = await new Workbench(options).decodes('synthetic');
    const together = await Promise.all(asked.map(([policy, clock]) => shared.run(variant(policy), clock)));
    for (const [i, [policy, clock]] of asked.entries()) {
      const alone = await new Workbench(options).decodes('synthetic');
      expect(await alone.run(variant(policy), clock), policy).toEqual(together[i]);
    }
  });

  it('account for every position of a real decode exactly once', async () => {
    const bench = new Workbench({ ...WORKBENCH_DEFAULTS, prompts: 1, genLength: 64 });
    try {
      const decodes = await bench.decodes('tiny-llada');
      for (const policy of ['threshold', 'mbsd-sts']) {
        const [decoded] = await decodes.run(variant(policy));
        const offsets = decoded?.denoise.flatMap((step) => step.commits.map(({ offset }) => offset)) ?? [];
        expect(
          [...offsets].sort((a, b) => a - b),
          policy,
        ).toEqual(Array.from({ length: 64 }, (_, i) => i));
        expect(decoded?.visibleAtBlockEnd, policy).toHaveLength(2);
        for (const step of decoded?.denoise ?? []) {
          expect(step.masksBefore, policy).toBeGreaterThan(0);
          expect(step.stableRows, policy).toBeLessThan(step.rows);
        }
      }
      // Equal requests are decoded once.
      expect(decodes.run(variant('threshold'))).toBe(decodes.run(variant('threshold')));
    } finally {
      bench.close();
    }
  });
});
