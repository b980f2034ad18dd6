import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLaws } from '../../src/decode/laws/check.js';
import { CLAUSES, type Clause } from '../../src/decode/laws/law.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { shownBy } from '../../src/decode/method/fits.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { RUNS, TIME_LIMIT_MS, workloads } from './support/arbitraries.js';
import { DAMAGES } from './support/damages.js';
import { recordDecode } from './support/record.js';
import { TOY_MASK, ToyEngine } from './support/toy-engine.js';

const clauses = Object.keys(CLAUSES) as Clause[];

describe('every law fires', () => {
  it.each(clauses)('%s can be broken by a damage of the list', (clause) => {
    expect(DAMAGES[clause].length).toBeGreaterThan(0);
  });

  const cases = clauses.flatMap((clause) =>
    DAMAGES[clause].map((damage) => [clause, damage.what, damage] as const),
  );

  it.each(cases)(
    '%s: %s',
    async (clause, _what, { specs, ways }) => {
      await fc.assert(
        fc.asyncProperty(specs, workloads, fc.nat(), async (spec, work, choice) => {
          const damaged = ways(await recordDecode(spec, work));
          fc.pre(damaged.length > 0);
          const { steps, context, at } = damaged[choice % damaged.length];
          const found = checkLaws(context, steps).filter((violation) => violation.clause === clause);
          expect(found.map(({ step }) => step)).toContain(at);
          for (const { law } of found) expect(law).toBe(CLAUSES[clause].law);
        }),
        { numRuns: Math.ceil(RUNS / 200) },
      );
    },
    TIME_LIMIT_MS,
  );

  it('D2 fires when long-term KV was made from another token, unless the policy gives that up', async () => {
    const policy = composePolicy({
      ...policySpecByName('mbsd'),
      cache: { kind: 'prefix', seal: 'as-is' },
      blockLength: 8,
    });
    const { steps } = await decode({
      policy,
      engine: new ToyEngine({ seed: 1 }),
      promptIds: [1],
      genLength: 16,
    });
    const start = policy.start([1], 16, TOY_MASK);
    const stepBudget = policy.stepBudget(16);
    const trained = shownBy(policy.spec);
    expect(checkLaws({ start, stepBudget, trained, givenUp: ['D2-exact-kv'] }, steps)).toEqual([]);
    expect(checkLaws({ start, stepBudget, trained, givenUp: [] }, steps).map(({ law }) => law)).toContain(
      'D2',
    );
  });
});
