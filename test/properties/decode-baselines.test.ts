import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policySpecByName } from '../../src/decode/policies.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import { logicalPasses } from '../../src/pass/groups.js';
import { RUNS, TIME_LIMIT_MS, type Workload, workloads } from '../decode/support/arbitraries.js';
import {
  blockCausal,
  byFactor,
  byThreshold,
  dkvDecode,
  fastDllm,
  oneByOne,
  wino,
} from '../decode/support/reference-baselines.js';
import { runToy } from '../decode/support/run.js';
import { ToyEngine } from '../decode/support/toy-engine.js';

type Reference = (
  engine: ToyEngine,
  work: Workload,
  genLength: number,
  blockLength: number,
) => Promise<number[]>;

const taus = fc.constantFrom(0.2, 0.4, 0.6, 0.9, 1.01);
const shapes = fc.record({
  blockLength: fc.integer({ min: 1, max: 8 }),
  tau: taus,
  tau2: taus,
  factor: fc.constantFrom(0.3, 1, 3, 20),
  refreshEvery: fc.integer({ min: 1, max: 5 }),
});
type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never;

const METHODS: readonly (readonly [
  string,
  (shape: Shape) => [PolicySpecInput['commit'] | null, Partial<PolicySpecInput>, Reference],
])[] = [
  [
    'fast-dllm-prefix',
    ({ tau }) => [
      { kind: 'threshold', tau },
      {},
      (e, w, g, b) => fastDllm(e, w.promptIds, g, b, byThreshold(tau), false),
    ],
  ],
  [
    'fast-dllm-dual',
    ({ tau }) => [
      { kind: 'threshold', tau },
      {},
      (e, w, g, b) => fastDllm(e, w.promptIds, g, b, byThreshold(tau), true),
    ],
  ],
  [
    'fast-dllm-factor',
    ({ factor }) => [
      { kind: 'factor', factor },
      {},
      (e, w, g, b) => fastDllm(e, w.promptIds, g, b, byFactor(factor), true),
    ],
  ],
  [
    'dkv',
    ({ refreshEvery }) => [
      null,
      { cache: { kind: 'decided', refreshEvery } },
      (e, w, g, b) => dkvDecode(e, w.promptIds, g, b, oneByOne, refreshEvery),
    ],
  ],
  [
    'wino',
    ({ tau, tau2 }) => [
      { kind: 'revocable', tau },
      { revoke: { kind: 'shadow', tau: tau2 } },
      (e, w, g, b) => wino(e, w.promptIds, g, b, tau, tau2),
    ],
  ],
  [
    'block-causal',
    ({ tau }) => [
      { kind: 'threshold', tau, compare: 'above' },
      {},
      (e, w, g, b) => blockCausal(e, w.promptIds, g, b, tau),
    ],
  ],
];

describe('baselines are their published loops, pass for pass, and keep the laws they do not give up', () => {
  it.each(METHODS)(
    '%s',
    async (name, method) => {
      await fc.assert(
        fc.asyncProperty(shapes, workloads, async (shape, work) => {
          const { blockLength } = shape;
          const [commit, change, reference] = method(shape);
          const spec = {
            ...policySpecByName(name),
            blockLength,
            ...(commit === null ? {} : { commit }),
            ...change,
          };
          const { result, engine, broken } = await runToy(spec, work);
          expect(broken).toEqual([]);
          const plain = new ToyEngine(work);
          expect(result.tokens).toEqual(await reference(plain, work, result.tokens.length, blockLength));
          const rows = ({ passes }: ToyEngine) =>
            passes
              .flatMap((pass) => (pass.kind === 'prefill' ? logicalPasses(pass) : [pass]))
              .map((pass) => pass.rows.map(({ position, feed }) => [position, feed]));
          expect(rows(engine)).toEqual(rows(plain));
        }),
        { numRuns: RUNS },
      );
    },
    TIME_LIMIT_MS,
  );
});

describe('what is given up is really broken, and checked unless it is given up', () => {
  const work: Workload = {
    seed: 5,
    sway: 0.8,
    sharpness: 7,
    promptIds: [1, 2, 3],
    blocks: 3,
    timerSeed: null,
  };

  it.each([
    ['fast-dllm-prefix', 'D1'],
    ['fast-dllm-dual', 'B2'],
    ['dkv', 'D1'],
  ])('%s breaks %s when it is not waived', async (name, law) => {
    const { checkLaws } = await import('../../src/decode/laws/check.js');
    const { composePolicy } = await import('../../src/decode/method/compose.js');
    const spec = { ...policySpecByName(name), blockLength: 8 };
    const { result } = await runToy(spec, work);
    const policy = composePolicy(spec);
    const start = policy.start(work.promptIds, 24, 10);
    const strict = checkLaws({ start, stepBudget: policy.stepBudget(24), givenUp: [] }, result.steps);
    expect(strict.map((violation) => violation.law)).toContain(law);
  });

  it('wino takes tokens back, and some step ends with no fewer masks', async () => {
    let revoked = 0;
    let stalled = 0;
    for (let seed = 0; seed < 40; seed++) {
      const spec: PolicySpecInput = {
        ...policySpecByName('wino'),
        blockLength: 8,
        commit: { kind: 'revocable', tau: 0.2 },
      };
      const { result } = await runToy(spec, { ...work, seed });
      for (const { transitions } of result.steps) {
        const back = transitions.filter(({ reason }) => reason === 'revoke').length;
        const won = transitions.filter(({ from, to }) => from === 'IV' && to === 'V').length;
        revoked += back;
        if (back >= won) stalled++;
      }
    }
    expect(revoked).toBeGreaterThan(0);
    expect(stalled).toBeGreaterThan(0);
  });

  it('names every part in the description of a named policy', async () => {
    const { POLICY_SPECS } = await import('../../src/decode/policies.js');
    const { lawsGivenUp } = await import('../../src/decode/parts.js');
    const { parsePolicySpec } = await import('../../src/decode/spec.js');
    for (const spec of POLICY_SPECS) {
      for (const { part } of lawsGivenUp(parsePolicySpec(spec))) expect(spec.description).toContain(part);
    }
  });
});
