import { describe, expect, it } from 'vitest';
import { checkLaws, describeViolation } from '../../src/decode/laws/check.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { type DecodeOptions, decode } from '../../src/decode/method/session.js';
import { lawsGivenUp } from '../../src/decode/parts.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import { groupsOf } from '../../src/pass/groups.js';
import { trainedFor } from './support/run.js';
import { TOY_EOS, TOY_MASK, ToyEngine } from './support/toy-engine.js';

const GEN = 32;

/** Decodes with the toy model, which writes end tokens now and then. */
async function decodeToy(seed: number, change: object, given?: readonly number[]) {
  const policy = composePolicy({ ...policySpecByName('block-kv'), blockLength: 4, ...change });
  return decode({ policy, engine: new ToyEngine({ seed }), promptIds: [1, 2], genLength: GEN, given });
}

describe('stop', () => {
  it('ends with the block that holds an end token, in fewer forwards and with the same text', async () => {
    let stopped = 0;
    for (let seed = 0; seed < 20; seed++) {
      const whole = await decodeToy(seed, {});
      const short = await decodeToy(seed, { stop: 'block' });
      const end = whole.tokens.indexOf(TOY_EOS);
      const kept = end < 0 ? GEN : 4 * (Math.floor(end / 4) + 1);
      expect(short.tokens).toEqual([
        ...whole.tokens.slice(0, kept),
        ...new Array<number>(GEN - kept).fill(TOY_EOS),
      ]);
      expect(short.counters.tokens).toBe(kept);
      expect(short.counters.textTokens).toBe(whole.counters.textTokens);
      if (kept < GEN) {
        stopped++;
        expect(short.counters.nfe).toBeLessThan(whole.counters.nfe);
      }
    }
    expect(stopped).toBeGreaterThan(5);
  });

  it('is off where the published method has none, and refused where a sweep follows', async () => {
    expect(composePolicy(policySpecByName('llada')).spec.stop).toBe('never');
    expect(composePolicy(policySpecByName('autoregressive')).spec.stop).toBe('block');
    expect(() =>
      composePolicy({ ...policySpecByName('llada.cpp'), stop: 'block', final: { kind: 'sweep' } }),
    ).toThrow(/final must be accept/);
  });
});

/** Decodes a text with gaps, and lists the laws that are broken. */
async function runGiven(
  spec: PolicySpecInput,
  work: Pick<DecodeOptions, 'given' | 'promptIds' | 'genLength'>,
) {
  const policy = composePolicy(spec);
  const trained = trainedFor(policy.spec);
  const result = await decode({ policy, engine: new ToyEngine({ seed: 3, trained }), ...work });
  const { promptIds, genLength, given } = work;
  const start = policy.start(promptIds, genLength, TOY_MASK, { endIds: [TOY_EOS], given });
  const givenUp = lawsGivenUp(policy.spec).map(({ part }) => part);
  const stepBudget = policy.stepBudget(genLength);
  return {
    ...result,
    broken: checkLaws({ start, givenUp, stepBudget, trained }, result.steps).map(describeViolation),
  };
}

describe('masks that are given among tokens', () => {
  const given = [3, TOY_MASK, 4, TOY_MASK, TOY_EOS, 5];

  it.each(['block-kv', 'llada', 'llada.cpp', 'dream', 'wino', 'fast-dllm-dual', 'exact-speculation'])(
    'are filled by %s, and the tokens stay',
    async (name) => {
      const policy = composePolicy({ ...policySpecByName(name), blockLength: 4 });
      const engine = new ToyEngine({ seed: 3 });
      const genLength = 10;
      const { tokens, counters } = await decode({ policy, engine, promptIds: [1, 2], genLength, given });
      expect(tokens.length).toBe(10);
      expect(given.map((token, at) => (token === TOY_MASK ? TOY_MASK : tokens[at]))).toEqual(given);
      expect(tokens).not.toContain(TOY_MASK);
      expect(counters.tokens).toBe(6);
    },
  );

  it('do not end the text with an end token of their own', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const { tokens } = await decodeToy(seed, { stop: 'block' }, given);
      const whole = await decodeToy(seed, {}, given);
      const end = whole.tokens.indexOf(TOY_EOS, given.length);
      const same = end < 0 ? GEN : end;
      expect(tokens.slice(0, same)).toEqual(whole.tokens.slice(0, same));
    }
  });

  it.each(['block-kv', 'llada', 'mbsd', 'dkv', 'fast-dllm-dual', 'multi-block-cached', 'exact-speculation'])(
    'cost %s no forward in a block that is given whole, the first one too',
    async (name) => {
      const spec = { ...policySpecByName(name), blockLength: 2 };
      const work = { given: [3, 4, TOY_MASK, 5, 6, 7, TOY_MASK, TOY_MASK], promptIds: [1, 2], genLength: 8 };
      const { steps, broken } = await runGiven(spec, work);
      expect(broken).toEqual([]);
      const decided = steps.filter(({ transitions }) => transitions.some(({ to }) => to === 'S'));
      // Where rows are cached from the window, it has to come past them.
      const idle = steps.filter(
        ({ plan, kvWrites }) => plan.passes[0].kind === 'denoise' && kvWrites.length === 0,
      );
      for (const step of idle) expect(decided).toContain(step);
    },
  );

  it('are cached block by block where the model sees no block right of its own', async () => {
    const spec = { ...policySpecByName('sdar'), blockLength: 2 };
    const sealed = async (given: readonly number[]) => {
      const { steps, broken, counters } = await runGiven(spec, { given, promptIds: [1, 2], genLength: 8 });
      expect(broken).toEqual([]);
      expect([counters.statesDrafted, counters.statesAccepted, counters.rowsWasted]).toEqual([0, 0, 0]);
      return steps.flatMap(({ plan: { passes } }) =>
        passes[0].kind === 'seal' ? [groupsOf(passes[0]).map(({ rows }) => rows)] : [],
      );
    };
    // The block with the gap and the two behind it; then two before the gap, and its own.
    expect(await sealed([TOY_MASK, 3, 4, 5, 6, 7])).toEqual([[2, 2, 2]]);
    expect(await sealed([3, 4, 5, 6, TOY_MASK, 7])).toEqual([[2, 2], [2]]);
  });

  it('are refused left to right', async () => {
    const policy = composePolicy(policySpecByName('autoregressive'));
    const engine = new ToyEngine({ seed: 1, trained: { attention: 'causal' } });
    await expect(decode({ policy, engine, promptIds: [1], genLength: 4, given: [11, 3] })).rejects.toThrow(
      /left to right/,
    );
  });
});
