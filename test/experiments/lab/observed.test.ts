import { describe, expect, it } from 'vitest';
import type { DecidedCase, Decider } from '../../../experiments/lab/deciders/decider.js';
import {
  type DecodeFacts,
  decodeFacts,
  factsOf,
  type ObservedCase,
  observe,
} from '../../../experiments/lab/deciders/facts.js';
import {
  committedBelow,
  denoising,
  firstCommitByPosition,
  inTurn,
  meanDraftsAccepted,
  meanForwards,
  meanOf,
  meanRefreshes,
  meanRows,
  meanSeconds,
  secondsOf,
  skippableShare,
  tailShare,
  tokensPerStep,
  variant,
  visibleShare,
} from '../../../experiments/lab/decode-statistics.js';
import {
  type CaseResult,
  caseResult,
  decidedCases,
  decidedMetrics,
  timedCases,
} from '../../../experiments/lab/kinds/case-result.js';
import { under } from '../../../experiments/lab/kinds/under.js';
import type { RunRecord } from '../../../experiments/lab/record.js';
import type { Canvas, TokenState, Transition } from '../../../src/decode/canvas/types.js';
import type { DecodeCounters } from '../../../src/decode/method/counters.js';
import type { StepRecord } from '../../../src/decode/method/step-record.js';
import type { StepTiming } from '../../../src/decode/method/timer.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import { parsePolicySpec } from '../../../src/decode/spec.js';
import { DataError, UsageError } from '../../../src/errors.js';
import type { Pass, PassKind } from '../../../src/pass/pass.js';

/** A canvas of two prompt tokens and two blocks of two, as far as an observer looks at it. */
const canvas = (block: number, states: string): Canvas =>
  ({
    ...{ promptLength: 2, genLength: 4, blockLength: 2, blockOrigin: 2, block },
    positions: states.split(' ').map((state) => ({ state: state as TokenState })),
  }) as unknown as Canvas;
const pass = (kind: PassKind, rows: number[], lane: Pass['lane'] = 'main'): Pass =>
  ({
    ...{ kind, lane, visibility: 'all', logits: rows.map((_, at) => at), reads: [] },
    rows: rows.map((position) => ({ position, feed: 0 })),
  }) as unknown as Pass;
type Change = [position: number, from: TokenState, to: TokenState, confidence?: number, reason?: string];
function step(at: number, passes: Pass[], changes: Change[] = []): StepRecord {
  return {
    plan: { step: at, block: 0, passes },
    transitions: changes.map(
      ([position, from, to, confidence = 0, reason = 'commit']) =>
        ({
          position,
          from,
          to,
          confidence,
          reason,
          token: 40 + position,
          tokenBefore: 9,
        }) as unknown as Transition,
    ),
    ...{ outcomes: [], landed: [], dropped: [], kvWrites: [], draftWrites: [], accepted: [], timing: null },
  };
}

/** Prefill; a step that shows one token and fixes none; one that ends both blocks; a step of edits. */
const STEPS: readonly [StepRecord, Canvas][] = [
  [step(0, [pass('prefill', [0, 1])]), canvas(0, 'S S M M M M')],
  [
    step(
      1,
      [pass('denoise', [2, 3, 4]), pass('refresh', [0, 1], 'side')],
      [
        [3, 'M', 'V', 0.5],
        [2, 'M', 'IV'],
      ],
    ),
    canvas(0, 'S S IV V M M'),
  ],
  [
    step(
      2,
      [pass('denoise', [1, 2, 3, 4, 5])],
      [
        [2, 'IV', 'S', 0.75],
        [4, 'M', 'V', 0.25, 'draft-accepted'],
        [3, 'V', 'S', 0.9],
      ],
    ),
    canvas(1, 'S S S S V M'),
  ],
  [
    step(
      3,
      [pass('denoise', [4, 5])],
      [
        [5, 'M', 'V', 1],
        [4, 'V', 'V', 1],
      ],
    ),
    canvas(2, 'S S S S V V'),
  ],
];
const decided: DecidedCase = {
  ...{ promptLength: 2, steps: STEPS.map(([record]) => record), tokens: [42, 43, 44, 45], endIds: [45] },
  answer: { exact: true, tasks: [{ kind: 'a', correct: true }] },
};
/** What it was asked, and that it never looks at a clock. */
function teller(isSilent = false) {
  const asked: unknown[] = [];
  const decider = {
    decode: async (index: number, request: Parameters<Decider['decode']>[1]) => {
      const { onStart, onStep, ...rest } = request;
      asked.push([index, rest]);
      if (isSilent) return decided;
      onStart?.(canvas(0, 'S S M M M M'));
      for (const [record, after] of STEPS) onStep?.(record, after);
      return decided;
    },
  } as unknown as Decider;
  return { decider, asked };
}
const request = { policy: { spec: { blockLength: 2 } }, genLength: 4 } as unknown as Parameters<
  typeof observe
>[2];

describe('a decode that is watched', () => {
  it('is told pass by pass: what was open, what got a token, what was computed for nothing', async () => {
    const { decider, asked } = teller();
    const seen = await observe(decider, 7, request);
    expect(asked).toEqual([[7, request]]);
    expect(seen.denoise).toEqual([
      {
        block: 0,
        blockStep: 1,
        masksBefore: 2,
        rows: 3,
        stableRows: 0,
        commits: [{ offset: 1, confidence: 0.5 }],
      },
      {
        ...{ block: 0, blockStep: 2, masksBefore: 1, rows: 5, stableRows: 1 },
        commits: [
          { offset: 0, confidence: 0.75 },
          { offset: 2, confidence: 0.25 },
        ],
      },
      {
        block: 1,
        blockStep: 1,
        masksBefore: 1,
        rows: 2,
        stableRows: 0,
        commits: [{ offset: 3, confidence: 1 }],
      },
    ]);
    expect(seen.visibleAtBlockEnd).toEqual([0, 2]);
    expect(seen.remainingVisible).toBe(2);
    expect(seen.counters).toMatchObject({
      nfe: 4,
      sideRefreshes: 1,
      draftsAccepted: 1,
      textTokens: 3,
      tokens: 4,
    });
    expect(seen).toMatchObject(decided);
  });

  it('begins with the canvas before its first step', async () => {
    const [, first, last] = STEPS;
    const decider = {
      decode: async (_: number, { onStart, onStep }: Parameters<Decider['decode']>[1]) => {
        onStart?.(canvas(0, 'S S M M M M'));
        onStep?.(...first);
        onStep?.(...last);
        return decided;
      },
    } as unknown as Decider;
    const { denoise, remainingVisible } = await observe(decider, 0, request);
    expect(denoise.map(({ masksBefore }) => masksBefore)).toEqual([2, 1]);
    expect(remainingVisible).toBe(1);
  });

  it('that shows nothing has nothing left visible', async () => {
    const seen = await observe(teller(true).decider, 0, request);
    expect(seen).toMatchObject({ denoise: [], visibleAtBlockEnd: [], remainingVisible: 0 });
  });

  it('is kept as what the statistics need, on a clock or without one', async () => {
    const facts = await decodeFacts(teller().decider, 0, request);
    const { denoise, visibleAtBlockEnd } = await observe(teller().decider, 0, request);
    const rest = { visibleAtBlockEnd, draftsAccepted: 1, textTokens: 3, answer: decided.answer };
    expect(facts).toEqual({
      ...{
        denoise,
        forwards: 4,
        refreshes: 1,
        ...rest,
        mainRows: [2, 3, 5, 2],
        seconds: null,
        timings: null,
      },
    });
    const timings = [{ endMs: 100 }, { endMs: 900 }, { endMs: 2500 }] as unknown as StepTiming[];
    const observed = await observe(teller().decider, 0, request);
    expect(factsOf(observed, timings)).toEqual({ ...facts, seconds: 2.5, timings });
    expect(factsOf(observed, [])).toMatchObject({ seconds: 0 });
  });
});

describe('what a run keeps of a case', () => {
  const counters = {
    ...{ nfe: 4, tokensPerForward: 0.5, textTokens: 3, refreshesLanded: 2, draftsAccepted: 1 },
  } as DecodeCounters;
  const observed = {
    ...decided,
    counters,
    denoise: [],
    visibleAtBlockEnd: [],
    remainingVisible: 2,
  } as ObservedCase;

  it('is its tokens, the step that fixed each, and the rows of every forward', () => {
    const steps = [
      ...decided.steps,
      // Seen again with the token that it has: it was fixed before. One that nothing ever changed has no step.
      step(9, [pass('denoise', [2])]),
    ].map((record, at) =>
      at < 4
        ? { ...record, transitions: record.transitions.filter(({ position }) => position !== 5) }
        : {
            ...record,
            transitions: [{ position: 2, token: 42, tokenBefore: 42 }] as unknown as Transition[],
          },
    );
    expect(caseResult(3, { ...observed, steps })).toEqual({
      ...{ case: 3, promptTokens: 2, steps: 5, forwardRows: [2, 3, 5, 2, 1], counters },
      ...{ tokens: [42, 43, 44, 45], fixedAt: [2, 2, 3, -1], remainingVisible: 2, answer: decided.answer },
    });
    expect(caseResult(0, { ...observed, answer: null }).answer).toBeNull();
  });

  it('becomes means over the cases, and no share of right answers where one has none', () => {
    const one = caseResult(0, observed);
    const other: CaseResult = {
      ...one,
      ...{ steps: 10, remainingVisible: 0, answer: { exact: false, tasks: [] } },
      counters: {
        ...{ nfe: 8, tokensPerForward: 1.5, textTokens: 5, refreshesLanded: 4, draftsAccepted: 2 },
      } as DecodeCounters,
    };
    expect(decidedMetrics([one, other])).toEqual({
      ...{ exactShare: 0.5, forwards: 6, steps: 7, tokensPerForward: 1, textTokens: 4 },
      ...{ refreshesLanded: 3, draftsAccepted: 1.5, remainingVisible: 1 },
    });
    expect(decidedMetrics([one, { ...other, answer: null }]).exactShare).toBeNull();
    expect(decidedMetrics([one]).exactShare).toBe(1);
  });

  it('is read back, and refused where a run holds something else', () => {
    const record = (detail: unknown) => ({ hash: 'ab', kind: 'decide', detail }) as unknown as RunRecord;
    const one = caseResult(0, observed);
    const timed = { ...one, ms: 1, joules: 2, busyMs: { matrix: 1 }, machineCounters: {} };
    expect(decidedCases(record({ engine: null, cases: [one] }))).toEqual({ engine: null, cases: [one] });
    expect(timedCases(record({ engine: 'tfjs', cases: [timed] }))).toEqual({
      engine: 'tfjs',
      cases: [timed],
    });
    const wrong: [unknown, string][] = [
      [
        { engine: null, cases: [{ ...one, steps: -1 }] },
        'cases.0.steps: Too small: expected number to be >=0',
      ],
      [{ engine: null, cases: [{ ...one, counters: null }] }, 'cases.0.counters: Invalid input'],
      [{ engine: null, cases: [{ ...one, counters: 3 }] }, 'cases.0.counters: Invalid input'],
      [{ engine: null, cases: [{ ...one, answer: { exact: true } }] }, 'cases.0.answer.tasks: Invalid input'],
      [{ cases: [] }, 'engine: Invalid input'],
    ];
    for (const [detail, message] of wrong) {
      expect(() => decidedCases(record(detail))).toThrow(DataError);
      expect(() => decidedCases(record(detail))).toThrow(`run ab (decide) holds no cases: ${message}`);
      expect(() => decidedCases(record(detail))).toThrow(/; delete its file and run again$/);
    }
    expect(() => timedCases(record({ engine: null, cases: [one] }))).toThrow(/cases\.0\.ms: Invalid input/);
  });

  it('has the names of groups before those of their parts', () => {
    expect(under('a', { b: 1, 'c.d': 2 })).toEqual({ 'a.b': 1, 'a.c.d': 2 });
  });
});

describe('means over decodes', () => {
  const commit = (offset: number, confidence: number) => ({ offset, confidence });
  const one: DecodeFacts = {
    denoise: [
      {
        block: 0,
        blockStep: 1,
        masksBefore: 2,
        rows: 2,
        stableRows: 1,
        commits: [commit(0, 0.5), commit(3, 0.9)],
      },
      { block: 0, blockStep: 4, masksBefore: 1, rows: 4, stableRows: 2, commits: [commit(1, 0.7)] },
    ],
    ...{ forwards: 6, visibleAtBlockEnd: [1, 2], refreshes: 3, draftsAccepted: 5, answer: null },
    ...{ textTokens: 3, mainRows: [], timings: null, seconds: 2 },
  };
  const other: DecodeFacts = {
    ...one,
    denoise: [{ block: 1, blockStep: 2, masksBefore: 2, rows: 6, stableRows: 0, commits: [commit(2, 0.2)] }],
    ...{ forwards: 8, refreshes: 0, draftsAccepted: 0, visibleAtBlockEnd: [], seconds: 4 },
  };
  const both = [one, other];

  it('are worked from what each did', () => {
    expect(denoising(both)).toEqual([...one.denoise, ...other.denoise]);
    expect(meanForwards(both)).toBe(7);
    expect(meanRefreshes(both)).toBe(1.5);
    expect(meanDraftsAccepted(both)).toBe(2.5);
    expect(meanRows(both)).toBe(4);
    expect(meanSeconds(both)).toBe(3);
    expect(meanOf([1, 2, 6])).toBe(3);
    expect(secondsOf([one, { ...other, seconds: null }])).toEqual([2, Number.NaN]);
    expect(meanSeconds([one, { ...other, seconds: null }])).toBeNaN();
    expect(tailShare(both, 1)).toBeCloseTo(100 / 3);
    expect(tokensPerStep(both, 6)).toBe(4);
    expect(committedBelow(both, 0.7)).toBe(50);
    expect(skippableShare(both)).toBe(25);
    expect(visibleShare(both, 6)).toBe(25);
  });

  it('leave out what lies outside of its block, and blocks without text', () => {
    // Offset 3 was given by a pass of block 0: it is none of its own. Block 1 has text of the third token.
    expect(firstCommitByPosition(both, 2)).toEqual([1.5, 4]);
    expect(firstCommitByPosition([one, { ...other, textTokens: 2 }], 2)).toEqual([1, 4]);
    const early = { ...other, denoise: [{ ...other.denoise[0], commits: [commit(1, 1), commit(2, 1)] }] };
    expect(firstCommitByPosition([early], 2)).toEqual([2, Number.NaN]);
    const late = { ...other, denoise: [{ ...other.denoise[0], commits: [commit(4, 1), commit(3, 1)] }] };
    expect(firstCommitByPosition([late], 2)).toEqual([Number.NaN, 2]);
  });

  it('are made one after the other', async () => {
    const order: string[] = [];
    const made = await inTurn([3, 1], async (item) => {
      order.push(`begin ${item}`);
      await Promise.resolve();
      order.push(`end ${item}`);
      return item * 2;
    });
    expect(made).toEqual([6, 2]);
    expect(order).toEqual(['begin 3', 'end 3', 'begin 1', 'end 1']);
  });

  it('are of a named policy with what is changed', () => {
    expect(variant('threshold')).toEqual(parsePolicySpec(policySpecByName('threshold')));
    expect(variant('threshold', { 'commit.tau': 0.5 }).commit).toMatchObject({ tau: 0.5 });
    expect(() => variant('threshold', { 'commit.tua': 0.5 })).toThrow(UsageError);
  });
});
