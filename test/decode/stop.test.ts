import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
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

  it('are refused left to right', async () => {
    const policy = composePolicy(policySpecByName('autoregressive'));
    const engine = new ToyEngine({ seed: 1, trained: { attention: 'causal' } });
    await expect(decode({ policy, engine, promptIds: [1], genLength: 4, given: [11, 3] })).rejects.toThrow(
      /left to right/,
    );
  });
});
