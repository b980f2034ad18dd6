import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFileHeader } from '../../src/model/file-header.js';
import { CODECS, WEIGHT_DTYPES } from '../../src/model/formats/blocks/index.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { openSafetensors } from '../../src/model/formats/safetensors-source.js';
import type { WeightSource } from '../../src/model/weights.js';
import { project } from '../../src/util/project-root.js';
import { storedWeights } from '../support/blocks.js';
import { writeCheckpoint } from '../support/checkpoint.js';
import { readsOrRefuses, reportDraws } from '../support/reader-limits.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const RUNS = Number(process.env.DLLM_FUZZ_RUNS ?? 100);
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

/** Opens and reads everything; any failure must be the project's own, and name the file. */
const wholeOrNamed = (kind: string, path: string, open: () => Promise<WeightSource>): Promise<void> =>
  readsOrRefuses(
    `${kind}, bytes`,
    async () => {
      const source = await open();
      try {
        for (const id of source.names()) await source.read(id);
      } finally {
        await source.close();
      }
    },
    path,
  );

/** The header of a damaged file is shown or refused by name, as `inspect` reads it. */
const headerOrNamed = (kind: string, path: string): Promise<void> =>
  readsOrRefuses(
    `${kind} header, bytes`,
    async () => {
      const header = await readFileHeader(path);
      for (const { bytes } of header?.tensors ?? []) expect(bytes).toBeLessThan(2 ** 53);
    },
    path,
  );

/** Any number of bytes of a file flipped, all over it: what a bad disk or a broken download does. */
const flips = fc.array(
  fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.integer({ min: 1, max: 255 })),
  {
    minLength: 1,
    maxLength: 8,
  },
);

function flip(original: Buffer, where: readonly (readonly [number, number])[], headerBytes: number): Buffer {
  const damaged = Buffer.from(original);
  where.forEach(([at, mask], index) => {
    // Every second one in the header, which is small beside the data.
    const position = Math.floor(at * (index % 2 === 0 ? headerBytes : damaged.length));
    damaged[position] = damaged[position]! ^ mask;
  });
  return damaged;
}

describe('a damaged weight file is read or refused by name, never anything else', () => {
  const none = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
  const open = {
    gguf: async (path: string) => (await openGguf(path)).weights,
    safetensors: (path: string) => openSafetensors(path, 'llada'),
  };
  let directory = '';
  afterAll(reportDraws);
  beforeAll(async () => {
    directory = await writeCheckpoint(config, randomWeights(config));
  });

  async function holds<T>(
    kind: keyof typeof open,
    arbitrary: fc.Arbitrary<T>,
    runs: number,
    damaged: (how: T) => Buffer,
  ): Promise<void> {
    const path = join(directory, `damaged.${kind}`);
    await fc.assert(
      fc.asyncProperty(arbitrary, async (how) => {
        writeFileSync(path, damaged(how));
        await wholeOrNamed(kind, path, () => open[kind](path));
        await headerOrNamed(kind, path);
      }),
      { numRuns: runs },
    );
  }

  it.each(WEIGHT_DTYPES)('GGUF, %s', async (dtype) => {
    // Rows of one block.
    const width = CODECS[dtype].elements;
    const shape =
      width === 1
        ? config
        : tinyConfig({ ...config, vocab: 9, hidden: width, headDim: width / 2, ffn: width });
    const good = join(directory, `good-${dtype}.gguf`);
    await writeModelGguf(shape, storedWeights(shape, () => dtype).stored, good, null, none);
    const original = readFileSync(good);
    await holds('gguf', damage(2200), Math.ceil(RUNS / 4), (how) => apply(original, how));
    await holds('gguf', flips, Math.ceil(RUNS / 4), (where) => flip(original, where, 2200));
  });

  it('safetensors', async () => {
    const original = readFileSync(join(directory, 'model.safetensors'));
    await holds('safetensors', damage(1600), RUNS, (how) => apply(original, how));
    await holds('safetensors', flips, RUNS, (where) => flip(original, where, 1600));
  });

  it('the shipped model, as GGUF with its tokenizer and as safetensors', async () => {
    // Megabytes are written for every case: fewer of them.
    const runs = Math.ceil(RUNS / 20);
    const shipped = join(project().root, 'models', 'tiny-llada');
    const gguf = readFileSync(join(shipped, 'tiny-llada-f32.gguf'));
    await holds('gguf', flips, runs, (where) => flip(gguf, where, 20_000));
    const safetensors = readFileSync(join(shipped, 'model.safetensors'));
    await holds('safetensors', flips, runs, (where) => flip(safetensors, where, 3_000));
  });
});
