import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import type { Engine, PassResult } from '../../src/engine/engine.js';
import type { KvRef, Pass, PassRow } from '../../src/pass/pass.js';
import { hashNumbers } from '../../src/util/hash-numbers.js';
import { RUNS, TIME_LIMIT_MS } from './support/arbitraries.js';
import { TOY_CONFIG, TOY_MASK, TOY_VOCAB, ToyEngine } from './support/toy-engine.js';

const trained = { attention: 'block-causal', alsoCausal: true, blockLength: 64 } as const;
const causal = composePolicy(policySpecByName('autoregressive'));
const drafting = (narrowest: number, widest: number, stop: 'never' | 'block') =>
  composePolicy({
    ...policySpecByName('nemotron-self-speculation'),
    window: { kind: 'self-speculation', narrowest, widest },
    stop,
  });

/**
 * One layer of attention whose keys know their token and position alone, so that a row says the same whether those before it are
 * cached or in the same pass, as in a transformer.
 */
class OneLayer implements Engine {
  readonly name = 'one layer';
  readonly config = { ...TOY_CONFIG, ...trained };
  private readonly kv = new Map<string, number>();

  /** @param sway how much what a row sees counts beside the position it is about */
  constructor(
    private readonly seed: number,
    private readonly sway: number,
  ) {}

  async run(pass: Pass): Promise<PassResult> {
    const key = ({ position, feed }: PassRow) => hashNumbers(position, feed);
    const cached = pass.reads.map(
      ({ position, version }) => this.kv.get(`${position}:${version}`) ?? Number.NaN,
    );
    for (const row of pass.rows) this.kv.set(`${row.position}:${pass.version}`, key(row));
    const logits = pass.logits.flatMap((at) => {
      const { position } = pass.rows[at];
      const causal = pass.visibility === 'causal';
      const own = pass.rows.filter((row) => !causal || row.position <= position).map(key);
      const seen = [...cached, ...own].reduce((sum, value) => (sum + value) % 1_000_003, 0);
      const about = causal ? position + 1 : position;
      return Array.from({ length: TOY_VOCAB }, (_, id) =>
        // No model writes its mask: the one token that drafts leave out.
        id === TOY_MASK
          ? -1
          : (1 - this.sway) * (hashNumbers(this.seed, about, id) % 997) +
            this.sway * (hashNumbers(this.seed, seen, id) % 997),
      );
    });
    return { logits: Float32Array.from(logits, (value) => value / 100) };
  }

  retain(live: readonly KvRef[]): void {
    const keep = new Set(live.map(({ position, version }) => `${position}:${version}`));
    for (const key of this.kv.keys()) if (!keep.has(key)) this.kv.delete(key);
  }

  readKv(): never {
    throw new Error('nobody reads this KV');
  }

  dispose(): void {
    this.kv.clear();
  }
}

const cases = fc.record({
  seed: fc.nat(1_000_000),
  // A model whose rows hang on themselves alone drafts well; one that hangs on its context does not.
  sway: fc.constantFrom(0, 0.1, 0.4, 0.9),
  promptIds: fc.array(fc.nat(8), { minLength: 1, maxLength: 6 }),
  genLength: fc.integer({ min: 1, max: 100 }),
  narrowest: fc.integer({ min: 2, max: 8 }),
  more: fc.integer({ min: 0, max: 24 }),
  stop: fc.constantFrom('never', 'block'),
});

/** About 50 tokens each: more than 100,000 at the 10,000 runs of `npm run fuzz`. */
const CASES = Math.ceil(RUNS / 4);

describe('linear self-speculation', () => {
  it(
    'writes the tokens of greedy next-token decoding, for at most two forwards a round',
    async () => {
      let [tokens, forwards, plain] = [0, 0, 0];
      await fc.assert(
        fc.asyncProperty(cases, async ({ narrowest, more, stop, promptIds, genLength, seed, sway }) => {
          const run = (policy: typeof causal) =>
            decode({ policy, engine: new OneLayer(seed, sway), promptIds, genLength });
          const spec = { ...causal.spec, stop } as const;
          const expected = await run(composePolicy(spec));
          const found = await run(drafting(narrowest, narrowest + more, stop));
          expect(found.tokens).toEqual(expected.tokens);
          const verified = found.steps.filter(({ plan }) => plan.passes[0].visibility === 'causal').length;
          expect(found.counters.nfe).toBeLessThanOrEqual(2 * verified);
          tokens += found.tokens.length;
          forwards += found.counters.nfe;
          plain += expected.counters.nfe;
        }),
        { numRuns: CASES },
      );
      if (process.env.DLLM_FUZZ_RUNS !== undefined)
        console.log(`self-speculation: 0 of ${tokens} tokens differ, ${forwards} forwards for ${plain}`);
      // Of a few cases the mean says nothing.
      if (CASES > 50) expect(tokens).toBeGreaterThan(CASES * 25);
    },
    TIME_LIMIT_MS,
  );

  it('widens where drafts are right and narrows where they are not', async () => {
    const widths = async (sway: number) => {
      const engine = new OneLayer(3, sway);
      const { steps } = await decode({
        policy: drafting(4, 16, 'never'),
        engine,
        promptIds: [1],
        genLength: 120,
      });
      const drafts = steps.filter(({ plan }) => plan.passes[0].visibility === 'all');
      return drafts.map(({ plan }) => plan.passes[0].rows.length);
    };
    const sure = await widths(0);
    expect(sure.slice(0, 2)).toEqual([4, 8]);
    expect(Math.max(...sure)).toBe(16);
    expect(await widths(0.9)).toContain(4);
  });

  it('is refused where nothing was trained for it, or nothing could be verified', async () => {
    const policy = drafting(8, 32, 'never');
    await expect(
      decode({ policy, engine: new ToyEngine({ seed: 1 }), promptIds: [1], genLength: 4 }),
    ).rejects.toThrow(/sees both ways, and policy nemotron-self-speculation shows rows only what is left/);
    const sampled = { ...policy.spec, sampling: { kind: 'gumbel', temperature: 1, seed: 0 } } as const;
    expect(() => parsePolicySpec(sampled)).toThrow(/greedy sampling/);
  });
});
