import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import {
  anySpec,
  blockLengths,
  draftingSpecs,
  RUNS,
  slidingSpecs,
  TIME_LIMIT_MS,
  type Workload,
  workloads,
} from '../decode/support/arbitraries.js';
import { interleavedDecode } from '../decode/support/interleave.js';
import { RandomTimer } from '../decode/support/random-timer.js';
import { runToy, SMALL_TILES, toyFor } from '../decode/support/run.js';

const options = { numRuns: Math.ceil(RUNS / 4) };

async function tokensOf(spec: PolicySpecInput, work: Workload): Promise<readonly number[]> {
  return (await runToy(spec, work)).result.tokens;
}

/** Rows and reads of every main pass: what is computed, whatever the states are called. */
async function workOf(spec: PolicySpecInput, work: Workload): Promise<unknown> {
  const { result } = await runToy(spec, work);
  const passes = result.steps.map(({ plan }) => {
    const { kind, rows, reads } = plan.passes[0];
    return { kind, rows, reads };
  });
  return { tokens: result.tokens, passes };
}

describe('techniques off', () => {
  const blockKv = policySpecByName('block-kv');

  it(
    'the full system with every technique off is block-kv, pass for pass',
    async () => {
      const off: PolicySpecInput = {
        ...policySpecByName('llada.cpp'),
        window: { kind: 'block' },
        cache: { kind: 'prefix', seal: 'pass' },
        commit: { kind: 'staged', visible: 1.01, stable: 1.01 },
        speculate: { kind: 'none' },
        refresh: { kind: 'none' },
      };
      await fc.assert(
        fc.asyncProperty(blockLengths, workloads, async (blockLength, work) => {
          expect(await workOf({ ...off, blockLength }, work)).toEqual(
            await workOf({ ...blockKv, blockLength }, work),
          );
        }),
        options,
      );
    },
    TIME_LIMIT_MS,
  );

  it(
    'a threshold nothing reaches is one token per step, with and without a cache',
    async () => {
      const commit = { kind: 'threshold' as const, tau: 1.01 };
      await fc.assert(
        fc.asyncProperty(
          blockLengths,
          workloads,
          fc.constantFrom('block-kv', 'llada', 'mbsd'),
          async (blockLength, work, name) => {
            const base = { ...policySpecByName(name), blockLength };
            expect(
              await workOf({ ...base, commit, speculate: { kind: 'none' }, window: plain(base) }, work),
            ).toEqual(await workOf({ ...base, speculate: { kind: 'none' }, window: plain(base) }, work));
          },
        ),
        options,
      );
    },
    TIME_LIMIT_MS,
  );

  it(
    'drafts that are fed as masks and never accepted change nothing',
    async () => {
      await fc.assert(
        fc.asyncProperty(draftingSpecs, workloads, async (spec, work) => {
          const base = { ...spec, window: plain(spec) };
          const idle = { kind: 'drafts' as const, feed: 'mask' as const, acceptConfidence: 1.01 };
          expect(await workOf({ ...base, speculate: idle }, work)).toEqual(
            await workOf({ ...base, speculate: { kind: 'none' } }, work),
          );
        }),
        options,
      );
    },
    TIME_LIMIT_MS,
  );

  it(
    'lookahead that never fires changes nothing',
    async () => {
      await fc.assert(
        fc.asyncProperty(draftingSpecs, workloads, async (spec, work) => {
          const base = { ...spec, speculate: { kind: 'drafts' as const }, window: plain(spec) };
          const idle = { trigger: 0, inclusive: true };
          expect(
            await workOf(
              { ...base, window: { ...plain(spec), lookahead: idle } as typeof base.window },
              work,
            ),
          ).toEqual(await workOf(base, work));
        }),
        options,
      );
    },
    TIME_LIMIT_MS,
  );
});

/** The window without lookahead. */
function plain(spec: PolicySpecInput): PolicySpecInput['window'] {
  const { window } = spec;
  const slides = window.kind === 'block' || window.kind === 'sliding';
  return slides ? { ...window, lookahead: undefined } : window;
}

describe('selective logits skipping', () => {
  it(
    'changes no token, no state and no forward',
    async () => {
      await fc.assert(
        fc.asyncProperty(anySpec, workloads, async (spec, work) => {
          const all = await runToy({ ...spec, logits: 'all' }, work);
          const active = await runToy({ ...spec, logits: 'active' }, work);
          expect(active.result.canvas).toEqual(all.result.canvas);
          expect(active.result.counters.nfe).toBe(all.result.counters.nfe);
          expect(active.result.counters.logitsRows).toBeLessThanOrEqual(all.result.counters.logitsRows);
        }),
        options,
      );
    },
    TIME_LIMIT_MS,
  );
});

describe('delayed merge', () => {
  it(
    'the order of work and of landing inside a step does not matter',
    async () => {
      await fc.assert(
        fc.asyncProperty(slidingSpecs, workloads, fc.nat(), async (spec, work, order) => {
          const { result } = await runToy(spec, work);
          const policy = composePolicy(spec, SMALL_TILES);
          const landedAt = result.steps.map((step) => step.landed);
          const tokens = await interleavedDecode(
            policy,
            toyFor(policy.spec, work),
            work.promptIds,
            result.tokens.length,
            landedAt,
            order,
          );
          expect(tokens).toEqual(result.tokens);
        }),
        options,
      );
    },
    TIME_LIMIT_MS,
  );

  it(
    'a dropped refresh leaves no mark: applying without it gives the same canvas',
    async () => {
      let dropped = 0;
      await fc.assert(
        fc.asyncProperty(slidingSpecs, workloads, fc.nat(), async (spec, work, timerSeed) => {
          const inner = composePolicy(spec, SMALL_TILES);
          const policy: typeof inner = {
            ...inner,
            apply(canvas, plan, outcome, landed) {
              const applied = inner.apply(canvas, plan, outcome, landed);
              const ids = new Set(applied.dropped.map((drop) => drop.passId));
              const kept = landed.filter(({ passId }) => !ids.has(passId));
              const without = inner.apply(canvas, plan, outcome, kept);
              expect(without.canvas.positions).toEqual(applied.canvas.positions);
              dropped += landed.length - kept.length;
              return applied;
            },
          };
          await decode({
            policy,
            engine: toyFor(policy.spec, work),
            promptIds: work.promptIds,
            genLength: work.blocks * inner.spec.blockLength,
            timer: new RandomTimer(timerSeed),
          });
        }),
        options,
      );
      expect(dropped).toBeGreaterThan(0);
    },
    TIME_LIMIT_MS,
  );

  it(
    'without refresh the clock changes nothing',
    async () => {
      await fc.assert(
        fc.asyncProperty(anySpec, workloads, async (spec, work) => {
          const still = { ...spec, refresh: { kind: 'none' as const } };
          const timed = await tokensOf(still, { ...work, timerSeed: 7 });
          expect(timed).toEqual(await tokensOf(still, { ...work, timerSeed: null }));
        }),
        options,
      );
    },
    TIME_LIMIT_MS,
  );

  it(
    'a clock that ends every refresh in its own step is no clock',
    async () => {
      await fc.assert(
        fc.asyncProperty(slidingSpecs, workloads, async (spec, work) => {
          const policy = composePolicy(spec, SMALL_TILES);
          const genLength = work.blocks * policy.spec.blockLength;
          const run = (timer?: RandomTimer) =>
            decode({
              policy,
              engine: toyFor(policy.spec, work),
              promptIds: work.promptIds,
              genLength,
              ...(timer === undefined ? {} : { timer }),
            });
          expect((await run(new RandomTimer(1, 0))).canvas).toEqual((await run()).canvas);
        }),
        options,
      );
    },
    TIME_LIMIT_MS,
  );
});

describe('determinism and memory', () => {
  it(
    'the same inputs give the same records, and the engine keeps only live entries',
    async () => {
      await fc.assert(
        fc.asyncProperty(anySpec, workloads, async (spec, work) => {
          const first = await runToy(spec, work);
          const second = await runToy(spec, work);
          expect(second.result.steps).toEqual(first.result.steps);
          const cached = first.result.canvas.positions.filter(({ kv }) => kv !== null).length;
          expect(first.engine.entries).toBe(cached);
        }),
        options,
      );
    },
    TIME_LIMIT_MS,
  );
});
