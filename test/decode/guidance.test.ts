import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policySpecByName } from '../../src/decode/policies.js';
import { scoreRow } from '../../src/decode/rules/score-row.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import type { Pass } from '../../src/pass/pass.js';
import { RUNS, TIME_LIMIT_MS, workloads } from './support/arbitraries.js';
import { runToy } from './support/run.js';
import { TOY_MASK, TOY_VOCAB, ToyEngine } from './support/toy-engine.js';

/** LLaDA's loop with cfg_scale, written down plainly: two forwards per step, the second with the prompt masked. */
async function guidedGenerate(
  engine: ToyEngine,
  prompt: readonly number[],
  genLength: number,
  blockLength: number,
  scale: number,
): Promise<number[]> {
  const x = [...prompt, ...Array.from({ length: genLength }, () => TOY_MASK)];
  let version = 0;
  const forward = async (ids: readonly number[]): Promise<Float32Array> => {
    version++;
    const rows = ids.map((feed, position) => ({ position, feed }));
    const pass: Pass = {
      id: `${version}`,
      kind: 'denoise',
      lane: 'main',
      version,
      rows,
      reads: [],
      visibility: 'all',
      logits: rows.map((_, row) => row),
    };
    return (await engine.run(pass)).logits;
  };
  for (let start = prompt.length; start < x.length; start += blockLength) {
    for (let step = 0; step < blockLength; step++) {
      const conditional = await forward(x);
      const plain = await forward(x.map((token, at) => (at < prompt.length ? TOY_MASK : token)));
      const logits = conditional.map((value, i) => plain[i] + (scale + 1) * (value - plain[i]));
      const [best] = x
        .flatMap((token, position) => {
          if (token !== TOY_MASK || position < start || position >= start + blockLength) return [];
          return [{ position, ...scoreRow(logits, position, TOY_VOCAB, TOY_MASK) }];
        })
        .sort((a, b) => b.confidence - a.confidence || a.position - b.position);
      x[best.position] = best.token;
    }
  }
  return x.slice(prompt.length);
}

describe('classifier-free guidance', () => {
  it(
    "is LLaDA's published step, in one forward of twice the rows, and keeps the laws",
    async () => {
      let changed = 0;
      await fc.assert(
        fc.asyncProperty(
          workloads,
          fc.integer({ min: 1, max: 8 }),
          fc.constantFrom(0.5, 1, 3),
          async (work, blockLength, scale) => {
            const spec = { ...policySpecByName('llada-cfg'), blockLength, guidance: scale };
            const { result, broken } = await runToy(spec, work);
            expect(broken).toEqual([]);
            const length = result.tokens.length;
            expect(result.tokens).toEqual(
              await guidedGenerate(new ToyEngine(work), work.promptIds, length, blockLength, scale),
            );
            expect(result.counters.nfe).toBe(length);
            expect(result.counters.mainRows).toBe(2 * length * (work.promptIds.length + length));
            const plain = await runToy({ ...spec, guidance: 0 }, work);
            if (plain.result.tokens.join() !== result.tokens.join()) changed++;
          },
        ),
        { numRuns: Math.ceil(RUNS / 5) },
      );
      expect(changed).toBeGreaterThan(0);
    },
    TIME_LIMIT_MS,
  );

  it('is refused beside a cache, naming the rule', () => {
    expect(() => parsePolicySpec({ ...policySpecByName('block-kv'), guidance: 1 })).toThrow(
      /guidance masks the prompt, which a cache holds unmasked/,
    );
  });
});
