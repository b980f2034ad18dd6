import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { RUNS, TIME_LIMIT_MS, workloads } from '../decode/support/arbitraries.js';
import { type ReferenceRule, referenceGenerate } from '../decode/support/reference-generate.js';
import { ToyEngine } from '../decode/support/toy-engine.js';

const shapes = fc.integer({ min: 1, max: 8 }).chain((blockLength) =>
  fc.record({
    blockLength: fc.constant(blockLength),
    rule: fc.oneof(
      fc.record({ steps: fc.integer({ min: 1, max: blockLength }) }),
      fc.record({ tau: fc.constantFrom(0.2, 0.5, 0.9, 1.01) }),
    ) as fc.Arbitrary<ReferenceRule>,
  }),
);

describe('composed baselines are the published loops, pass for pass', () => {
  it.each([
    ['llada', false],
    ['block-kv', true],
  ])(
    '%s',
    async (name, cached) => {
      await fc.assert(
        fc.asyncProperty(shapes, workloads, async ({ blockLength, rule }, work) => {
          const policy = composePolicy({
            ...policySpecByName(name),
            blockLength,
            commit:
              'tau' in rule
                ? { kind: 'threshold', tau: rule.tau }
                : { kind: 'quota', stepsPerBlock: rule.steps },
          });
          const genLength = work.blocks * blockLength;
          const engine = new ToyEngine(work);
          const { tokens } = await decode({ policy, engine, promptIds: work.promptIds, genLength });
          const plain = new ToyEngine(work);
          const expected = await referenceGenerate(
            plain,
            work.promptIds,
            genLength,
            blockLength,
            rule,
            cached,
          );
          expect(tokens).toEqual(expected);
          const shape = ({ passes }: ToyEngine) =>
            passes.map(({ kind, rows, reads }) => ({ kind, rows, reads }));
          expect(shape(engine)).toEqual(shape(plain));
        }),
        { numRuns: RUNS },
      );
    },
    TIME_LIMIT_MS,
  );
});
