import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskText } from '../../experiments/lab/deciders/masking.js';
import { ResultStore } from '../../experiments/lab/store.js';
import { type RecoveryOptions, runRecovery } from '../../experiments/studies/recovery/run.js';
import { DataError, UsageError } from '../../src/errors.js';
import type { Tokenizer } from '../../src/model/tokenizer.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { tinyConfig } from '../support/tiny-model.js';

const MASK = 1;
const config = tinyConfig({ vocab: 40, maskId: MASK, bosId: 2, endIds: [3] });
/** A letter is a token, the first with id 10. */
const letters = {
  encode: (text: string) => [...text].map((one) => 10 + one.charCodeAt(0) - 97),
  decode: (ids: readonly number[]) => ids.map((id) => String.fromCharCode(id + 87)).join(''),
} as Pick<Tokenizer, 'encode' | 'decode'> as Tokenizer;

const texts = fc.string({ unit: fc.constantFrom(...'abcdefghij'), minLength: 1, maxLength: 40 });
const draws = fc.record({ share: fc.constantFrom(0.15, 0.3, 0.5, 0.7, 1), draw: fc.nat(9), seed: fc.nat(9) });

describe('masked texts', () => {
  it('have the share of their tokens masked, and the rest as it was', () => {
    fc.assert(
      fc.property(texts, draws, (text, draw) => {
        const { promptIds, given, truth, masked } = maskText(config, letters, text, draw);
        expect(promptIds).toEqual([2]);
        expect(truth).toEqual([...letters.encode(text), 3]);
        expect(masked.length).toBe(Math.max(1, Math.round(draw.share * text.length)));
        expect(given).toEqual(truth.map((id, at) => (masked.includes(at) ? MASK : id)));
        expect(maskText(config, letters, text, draw)).toEqual({ promptIds, given, truth, masked });
      }),
    );
  });

  it('need a model with mask, start and end, and a vocabulary that holds them', () => {
    const draw = { share: 0.5, draw: 0, seed: 0 };
    expect(() => maskText({ ...config, bosId: null }, letters, 'abc', draw)).toThrow(UsageError);
    expect(() => maskText({ ...config, endIds: [3, 4] }, letters, 'abc', draw)).toThrow(/2 end tokens/);
    const lossy = { ...letters, decode: () => 'other' } as Tokenizer;
    expect(() => maskText(config, lossy, 'abc', draw)).toThrow(DataError);
  });
});

it('a table of recovery is made of runs of the store, and says which policies do not fit', async () => {
  const folder = temporaryDirectory();
  const texts = join(folder, 'texts.txt');
  writeFileSync(texts, 'owl elk ant\n\nbat cat dog owl\n');
  const store = new ResultStore(join(folder, 'runs'));
  const made: number[] = [];
  const study = { store, jobs: 0, onProgress: (_: number, total: number) => made.push(total) };
  const options: RecoveryOptions = {
    model: 'tiny-llada',
    engine: 'tfjs',
    texts,
    policies: ['llada', 'autoregressive', 'threshold'],
    shares: [0.3, 1],
    draws: 2,
    seed: 1,
  };
  const table = await runRecovery(options, study);
  expect(table.refused).toEqual([
    { policy: 'autoregressive', reason: expect.stringContaining('left to right') as string },
  ]);
  expect(table.rows.map(({ policy, share, tokens, whole }) => [policy, share, tokens.n, whole.n])).toEqual([
    ['llada', 0.3, 4, 4],
    ['llada', 1, 14, 4],
    ['threshold', 0.3, 4, 4],
    ['threshold', 1, 14, 4],
  ]);
  // Two policies, two shares, two texts; one of each policy was its trial.
  expect(made.at(-1)).toBe(6);
  expect(await runRecovery(options, study)).toEqual(table);
  expect(made.at(-1)).toBe(0);
  await expect(runRecovery({ ...options, policies: ['autoregressive'] }, study)).rejects.toThrow(UsageError);
  await expect(runRecovery({ ...options, policies: ['nope', 'llada'] }, study)).rejects.toThrow(/nope/);
});
