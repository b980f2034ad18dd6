import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { DllmError } from '../../src/errors.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { openSafetensors } from '../../src/model/formats/safetensors-source.js';
import type { WeightSource } from '../../src/model/weights.js';
import { randomWeights, tinyConfig } from '../engine/tiny-model.js';
import { writeCheckpoint } from '../model/checkpoint.js';

const RUNS = Number(process.env.DLLM_FUZZ_RUNS ?? 500);
const config = tinyConfig({ layers: 1, vocab: 33, hidden: 8, heads: 2, kvHeads: 2, headDim: 4, ffn: 8 });

/** Damage concentrated on the first bytes, where lengths, counts and offsets live. */
interface Damage {
  readonly keep: number;
  readonly bytes: readonly (readonly [number, number])[];
  readonly words: readonly (readonly [number, bigint])[];
}

function damage(headerBytes: number): fc.Arbitrary<Damage> {
  const extreme = fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n);
  return fc.record({
    keep: fc.oneof(
      { weight: 3, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.double({ min: 0, max: 1 }) },
    ),
    bytes: fc.array(fc.tuple(fc.nat(headerBytes), fc.nat(255)), { maxLength: 3 }),
    words: fc.array(fc.tuple(fc.nat(headerBytes), extreme), { maxLength: 1 }),
  });
}

function apply(original: Buffer, { keep, bytes, words }: Damage): Buffer {
  const damaged = Buffer.from(original);
  for (const [at, value] of bytes) damaged[at % damaged.length] = value;
  for (const [at, value] of words) damaged.writeBigUInt64LE(value, at % (damaged.length - 8));
  return damaged.subarray(0, Math.floor(damaged.length * keep));
}

/** Reads everything; any failure must be the project's own, and name the file. */
async function readsOrNames(path: string, open: () => Promise<WeightSource>): Promise<void> {
  try {
    const source = await open();
    try {
      for (const id of source.names()) await source.read(id);
    } finally {
      await source.close();
    }
  } catch (error) {
    expect(error).toBeInstanceOf(DllmError);
    expect((error as Error).message).toContain(path);
  }
}

describe('a damaged weight file is read or refused by name, never anything else', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await writeCheckpoint(config, randomWeights(config));
  });

  it('GGUF', async () => {
    const good = join(directory, 'good.gguf');
    const none = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
    await writeModelGguf(config, randomWeights(config), good, 'f32', none);
    const original = readFileSync(good);
    const path = join(directory, 'damaged.gguf');
    await fc.assert(
      fc.asyncProperty(damage(2200), async (how) => {
        writeFileSync(path, apply(original, how));
        await readsOrNames(path, async () => (await openGguf(path)).weights);
      }),
      { numRuns: RUNS },
    );
  });

  it('safetensors', async () => {
    const original = readFileSync(join(directory, 'model.safetensors'));
    const path = join(directory, 'damaged.safetensors');
    await fc.assert(
      fc.asyncProperty(damage(1600), async (how) => {
        writeFileSync(path, apply(original, how));
        await readsOrNames(path, () => openSafetensors(path));
      }),
      { numRuns: RUNS },
    );
  });
});
