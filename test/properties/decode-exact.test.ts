import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import { blockLengths, RUNS, TIME_LIMIT_MS, workloads } from '../decode/support/arbitraries.js';
import { runToy } from '../decode/support/run.js';

/** Twice the usual: the one law that has no bound to lean on. */
const options = { numRuns: RUNS };

const methods: fc.Arbitrary<PolicySpecInput> = blockLengths
  .chain((blockLength) =>
    fc.record({
      name: fc.constant('method'),
      blockLength: fc.constant(blockLength),
      commit: fc.oneof(
        fc.record({
          kind: fc.constant('quota' as const),
          stepsPerBlock: fc.option(fc.integer({ min: 1, max: blockLength })),
        }),
        fc.record({ kind: fc.constant('threshold' as const), tau: fc.constantFrom(0.2, 0.5, 0.8, 1.01) }),
        fc.record({ kind: fc.constant('factor' as const), factor: fc.constantFrom(0.5, 1, 3) }),
      ),
      logits: fc.constantFrom('all' as const, 'active' as const),
      shape: fc.constantFrom(
        'block',
        'block as-is',
        'sliding',
        'canvas',
        'growing',
        'prefix',
        'dual',
        'dkv',
        'causal',
      ),
    }),
  )
  .map(({ shape, ...spec }): PolicySpecInput => ({ ...spec, ...SHAPES[shape] }));

const SHAPES: Record<string, Pick<PolicySpecInput, 'window' | 'cache' | 'blockOrigin'>> = {
  causal: {
    blockOrigin: 'zero',
    window: { kind: 'block' },
    cache: { kind: 'prefix', prompt: 'block-causal' },
  },
  block: { window: { kind: 'block' }, cache: { kind: 'prefix', seal: 'pass' } },
  'block as-is': { window: { kind: 'block' }, cache: { kind: 'prefix', seal: 'as-is' } },
  sliding: { window: { kind: 'sliding' }, cache: { kind: 'prefix', seal: 'delayed' } },
  canvas: { window: { kind: 'canvas' }, cache: { kind: 'none' } },
  growing: { window: { kind: 'canvas', extent: 'growing' }, cache: { kind: 'none' } },
  prefix: { window: { kind: 'per-block' }, cache: { kind: 'per-block' } },
  dual: { window: { kind: 'per-block', extent: 'block' }, cache: { kind: 'per-block' } },
  dkv: { window: { kind: 'canvas' }, cache: { kind: 'decided', refreshEvery: 3 } },
};

const exact = fc.record({
  kind: fc.constant('exact' as const),
  tile: fc.constantFrom(1, 4, 8, 32),
  extraTiles: fc.nat(5),
  drafts: fc.constantFrom('auto' as const, 'chain' as const, 'prefixes' as const),
  slack: fc.constantFrom(0, 0.2, 0.5),
  joinCertain: fc.boolean(),
});

describe('exact speculation', () => {
  it(
    'gives the tokens of the method it wraps in no more forwards, and keeps its laws',
    async () => {
      let saved = 0;
      let acrossBlocks = 0;
      await fc.assert(
        fc.asyncProperty(methods, exact, workloads, async (method, speculate, work) => {
          const plain = await runToy(method, work);
          const fast = await runToy({ ...method, speculate }, work);
          expect(fast.result.tokens).toEqual(plain.result.tokens);
          expect(fast.broken).toEqual([]);
          const { nfe, statesDrafted, statesAccepted, rowsWasted, mainRows } = fast.result.counters;
          // Every state that was accepted is a forward saved, no more and no less.
          expect(nfe + statesAccepted).toBe(plain.result.counters.nfe);
          expect(statesAccepted).toBeLessThanOrEqual(statesDrafted);
          const tiles = ({ steps }: typeof plain.result) =>
            steps.reduce((sum, { plan }) => sum + Math.ceil(plan.passes[0].rows.length / speculate.tile), 0);
          // Only padding is filled, and what was certain anyway.
          if (speculate.extraTiles === 0) expect(tiles(fast.result)).toBeLessThanOrEqual(tiles(plain.result));
          expect(mainRows - rowsWasted).toBe(plain.result.counters.mainRows);
          saved += statesAccepted;
          for (const { transitions } of fast.result.steps) {
            const decided = transitions
              .filter((t) => t.to === 'S')
              .map((t) => t.position - work.promptIds.length);
            const blocks = new Set(decided.map((at) => Math.floor(at / (method.blockLength ?? 32))));
            if (blocks.size > 1) acrossBlocks++;
          }
        }),
        options,
      );
      // 160 on average, give or take 22.
      expect(saved).toBeGreaterThan(RUNS / 2);
      expect(acrossBlocks).toBeGreaterThan(RUNS / 50);
    },
    TIME_LIMIT_MS,
  );

  it(
    'without room for a second state is the method itself, pass for pass',
    async () => {
      await fc.assert(
        fc.asyncProperty(methods, workloads, async (method, work) => {
          const plain = await runToy(method, work);
          const idle = { kind: 'exact' as const, tile: 1, extraTiles: 0, joinCertain: false };
          const { result, engine } = await runToy({ ...method, speculate: idle }, work);
          expect(result.counters.statesDrafted).toBe(0);
          const shape = ({ passes }: typeof engine) =>
            passes.map(({ kind, rows, reads, logits }) => ({ kind, rows, reads, logits }));
          expect(shape(engine)).toEqual(shape(plain.engine));
        }),
        { numRuns: Math.ceil(RUNS / 5) },
      );
    },
    TIME_LIMIT_MS,
  );

  it('saves forwards at every block length without a tile more', async () => {
    for (const blockLength of [1, 4, 8, 12, 16, 24, 32]) {
      const method: PolicySpecInput = {
        name: 'method',
        blockLength,
        ...SHAPES.block,
        commit: { kind: 'quota' },
      };
      const shape = { sway: 0.4, sharpness: 7 } as const;
      const work = { ...shape, seed: 3, promptIds: [1, 2, 3], blocks: 2, timerSeed: null };
      const plain = (await runToy(method, work)).result;
      const fast = (await runToy({ ...method, speculate: { kind: 'exact' } }, work)).result;
      const tiles = ({ steps }: typeof plain) =>
        steps.reduce((sum, { plan }) => sum + Math.ceil(plan.passes[0].rows.length / 32), 0);
      expect(fast.tokens).toEqual(plain.tokens);
      expect(fast.counters.nfe).toBeLessThan(plain.counters.nfe);
      expect(tiles(fast)).toBeLessThanOrEqual(tiles(plain));
    }
  });
});
