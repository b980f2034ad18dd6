import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gguf } from '@huggingface/gguf';
import { beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import { ByteFile } from '../../src/model/formats/byte-file.js';
import { decodeWeight, encodeWeight } from '../../src/model/formats/codec.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { parseGguf } from '../../src/model/formats/gguf-parse.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { textToGguf } from '../../src/model/formats/gguf-text.js';
import { countOf, type GgufValue } from '../../src/model/formats/gguf-types.js';
import { writeGguf } from '../../src/model/formats/gguf-write.js';
import { interleavedOrder, reorderRows } from '../../src/model/formats/rope-permutation.js';
import { loadModel } from '../../src/model/load.js';
import { QUANTS, type Quant } from '../../src/model/precision.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { VOCAB, writeCheckpoint } from '../support/checkpoint.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const config = tinyConfig({ vocab: VOCAB, hidden: 64, headDim: 16, ffn: 96 });
const weights = randomWeights(config);
const NO_TOKENIZER = new Map<string, GgufValue>([
  ['tokenizer.ggml.model', { type: 'string', value: 'none' }],
]);

async function toGguf(directory: string, out: string, quant: Quant): Promise<void> {
  const { config, weights, text } = await loadModel(directory);
  await writeModelGguf(config, weights, out, quant, textToGguf(text, config.vocab));
  await weights.close();
}

describe('GGUF models', () => {
  let checkpoint = '';
  beforeAll(async () => {
    checkpoint = await writeCheckpoint(config, weights);
  });

  it.each(QUANTS)('%s: comes back as the codec rounds it, Q and K in half-split order', async (quant) => {
    const path = join(temporaryDirectory(), 'm.gguf');
    await toGguf(checkpoint, path, quant);
    const model = await openGguf(path);
    expect(model.weights.names()).toEqual([...weightShapes(config).keys()]);
    for (const [id, shape] of weightShapes(config)) {
      const dtype = shape.length === 1 ? 'f32' : quant;
      const bytes = encodeWeight(dtype, await weights.read(id), id);
      expect(model.weights.info(id)).toEqual({ shape, dtype, bytes: bytes.length });
      expect(Buffer.compare(await model.weights.readRaw(id), bytes), id).toBe(0);
      const values = await model.weights.read(id);
      expect(
        Buffer.compare(
          encodeWeight('f32', values, id),
          encodeWeight('f32', decodeWeight(dtype, bytes, id), id),
        ),
      ).toBe(0);
    }
    await model.weights.close();
  });

  it('describes the same model', async () => {
    const path = join(temporaryDirectory(), 'm.gguf');
    await toGguf(checkpoint, path, 'f32');
    const { config: read, weights: source } = await openGguf(path);
    expect({ ...read, name: config.name }).toEqual(config);
    await source.close();
  });

  it('keeps what only other architectures have: bias, grouped heads, untied head, wide heads, experts', async () => {
    const dream: Partial<ModelConfig> = {
      arch: 'dream',
      qkvBias: true,
      kvHeads: 2,
      tiedHead: false,
      shiftLogits: true,
    };
    const moe = { experts: 4, expertsPerToken: 2, expertFfn: 32, renormalise: false };
    const routed: Partial<ModelConfig> = { arch: 'llada-moe', qkNorm: true, ffn: 0, moe };
    for (const overrides of [
      dream,
      routed,
      { arch: 'llama', attention: 'causal', headDim: 32, shiftLogits: true } as const,
    ]) {
      const other: ModelConfig = { ...config, ...overrides };
      const path = join(temporaryDirectory(), 'm.gguf');
      const random = randomWeights(other, 5);
      await writeModelGguf(other, random, path, 'q8_0', NO_TOKENIZER);
      const model = await openGguf(path);
      expect(model.config).toEqual(other);
      const id = 'blk.1.attn_k.weight';
      expect(await model.weights.readRaw(id)).toEqual(encodeWeight('q8_0', await random.read(id), id));
      await model.weights.close();
    }
  });

  it('is understood by another reader, with Q and K rows interleaved for llada', async () => {
    const path = join(temporaryDirectory(), 'm.gguf');
    await toGguf(checkpoint, path, 'f32');
    const other = await gguf(path, { allowLocalFile: true });
    const metadata: Record<string, unknown> = { ...other.metadata };
    expect(metadata).toMatchObject({
      version: 3,
      'general.architecture': 'llada',
      'llada.block_count': 2,
      'llada.embedding_length': 64,
      'llada.attention.head_count': 4,
      'llada.context_length': 256,
      'llada.feed_forward_length': 96,
      'llada.rope.freq_base': 10000,
      'diffusion.shift_logits': false,
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'gpt-2',
      'tokenizer.ggml.mask_token_id': 5,
    });
    const tokens = metadata['tokenizer.ggml.tokens'];
    expect(tokens).toHaveLength(VOCAB);
    expect(new Set(tokens as string[]).size).toBe(VOCAB);
    expect((metadata['tokenizer.ggml.merges'] as string[]).length).toBeGreaterThan(0);
    const file = readFileSync(path);
    for (const { name, shape, offset } of other.tensorInfos) {
      const info = weights.info(name)!;
      expect(shape.map(Number)).toEqual([...info.shape].reverse());
      const start = Number(other.tensorDataOffset + offset);
      const stored = new Uint8Array(file.subarray(start, start + info.bytes));
      const original = encodeWeight('f32', await weights.read(name), name);
      const rotary = /attn_[qk]\.weight$/.test(name);
      const expected = rotary ? reorderRows(original, interleavedOrder(64, 16)) : original;
      expect(Buffer.compare(stored, expected), name).toBe(0);
    }
  });

  it('leaves no file behind when a weight cannot be written', async () => {
    const directory = temporaryDirectory();
    const onFire = async () => Promise.reject(new Error('disk on fire'));
    const broken = { ...weights, read: onFire, readRaw: onFire };
    const path = join(directory, 'm.gguf');
    await expect(writeModelGguf(config, broken, path, 'f32', NO_TOKENIZER)).rejects.toThrow(/disk on fire/);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('GGUF values', () => {
  it('of every type come back', async () => {
    const path = join(temporaryDirectory(), 'm.gguf');
    const scalars = {
      u8: 255,
      i8: -128,
      u16: 65535,
      i16: -32768,
      u32: 2 ** 32 - 1,
      i32: -(2 ** 31),
      f32: 0.5,
      f64: 0.1,
      bool: true,
      string: 'häßlich \u{1f600}',
      u64: 2n ** 64n - 1n,
      i64: -(2n ** 63n),
    } as const;
    const metadata = new Map<string, GgufValue>();
    for (const [type, value] of Object.entries(scalars) as [keyof typeof scalars, GgufValue['value']][]) {
      metadata.set(`x.${type}`, { type, value } as GgufValue);
      metadata.set(`x.list.${type}`, { type: 'array', element: type, value: [value, value] } as GgufValue);
    }
    await writeModelGguf(config, weights, path, 'f32', new Map([...NO_TOKENIZER, ...metadata]));
    const model = await openGguf(path);
    for (const [key, value] of metadata) expect(model.metadata.get(key)).toEqual(value);
    await model.weights.close();
  });
});

/** A minimal file made by hand, so that each field can be damaged. */
function handMade(
  change: Partial<Record<'magic' | 'version' | 'tensors' | 'keys', number>> = {},
  rest?: Buffer,
): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(change.magic ?? 0x46554747, 0);
  head.writeUInt32LE(change.version ?? 3, 4);
  head.writeBigUInt64LE(BigInt(change.tensors ?? 0), 8);
  head.writeBigUInt64LE(BigInt(change.keys ?? 0), 16);
  return Buffer.concat([head, rest ?? Buffer.alloc(0)]);
}

const u32 = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);
const u64 = (...values: (number | bigint)[]) => Buffer.from(BigUint64Array.from(values.map(BigInt)).buffer);
const text = (value: string) => Buffer.concat([u64(value.length), Buffer.from(value)]);
const tensor = (name: string, dims: (number | bigint)[], type: number, offset: number) =>
  Buffer.concat([text(name), u32(dims.length), u64(...dims), u32(type), u64(offset)]);
const padding = Buffer.alloc(64);

const DAMAGED: readonly (readonly [string, Buffer, RegExp])[] = [
  ['empty file', Buffer.alloc(0), /magic: file is truncated/],
  ['other magic', handMade({ magic: 1 }), /not a GGUF file/],
  ['old version', handMade({ version: 1 }), /GGUF version 1 is not supported \(2, 3\)/],
  ['big-endian file', handMade({ version: 3 << 24 }), /a big-endian GGUF file/],
  [
    'count of tensors past the file',
    handMade({ tensors: 2 ** 40 }),
    /1099511627776 tensors and 0 keys cannot fit/,
  ],
  ['count of keys past the file', handMade({ keys: 5 }, Buffer.alloc(20)), /0 tensors and 5 keys cannot fit/],
  ['key longer than the file', handMade({ keys: 1 }, Buffer.concat([u64(2 ** 33), padding])), /key 0 claims/],
  [
    'count past 2^53',
    handMade({ keys: 1 }, Buffer.concat([u64(2n ** 63n), padding])),
    /length of metadata key 0 is 9223372036854775808/,
  ],
  [
    'array longer than the file',
    handMade({ keys: 1 }, Buffer.concat([text('a'), u32(9, 4), u64(2 ** 40), padding])),
    /a claims 1099511627776 elements/,
  ],
  [
    'nested array',
    handMade({ keys: 1 }, Buffer.concat([text('a'), u32(9, 9), u64(1), padding])),
    /value type 9/,
  ],
  [
    'unknown value type',
    handMade({ keys: 1 }, Buffer.concat([text('a'), u32(99), padding])),
    /a: unsupported value/,
  ],
  [
    'boolean of 2',
    handMade({ keys: 1 }, Buffer.concat([text('a'), u32(7), Buffer.from([2]), padding])),
    /no boolean/,
  ],
  [
    'repeated key',
    handMade({ keys: 2 }, Buffer.concat([text('a'), u32(4, 1), text('a'), u32(4, 1), padding])),
    /key a appears twice/,
  ],
  [
    'text that is not UTF-8',
    handMade({ keys: 1 }, Buffer.concat([text('a'), u32(8), u64(1), Buffer.from([0xff]), padding])),
    /a is not UTF-8/,
  ],
  [
    'alignment of 3',
    handMade({ keys: 1 }, Buffer.concat([text('general.alignment'), u32(4, 3), padding])),
    /general.alignment 3 is not a power of two/,
  ],
  [
    'long tensor name',
    handMade({ tensors: 1 }, Buffer.concat([tensor('n'.repeat(64), [1], 0, 0), padding])),
    /at most 63/,
  ],
  [
    'tensor of 5 dimensions',
    handMade({ tensors: 1 }, Buffer.concat([tensor('w', [1, 1, 1, 1, 1], 0, 0), padding])),
    /5 dim/,
  ],
  [
    'empty tensor',
    handMade({ tensors: 1 }, Buffer.concat([tensor('w', [0], 0, 0), padding])),
    /impossible shape \[0\]/,
  ],
  [
    'shape past 2^53',
    handMade({ tensors: 1 }, Buffer.concat([tensor('w', [2 ** 40, 2 ** 40], 0, 0), padding])),
    /impossible shape/,
  ],
  [
    'unsupported quantisation',
    handMade({ tensors: 1 }, Buffer.concat([tensor('w', [256], 31, 0), padding])),
    /as Q4_0_4_4/,
  ],
  [
    'row of part blocks',
    handMade({ tensors: 1 }, Buffer.concat([tensor('w', [33], 2, 0), padding])),
    /whole Q4_0 blocks/,
  ],
  [
    'truncated data',
    handMade({ tensors: 1 }, Buffer.concat([tensor('w', [4096], 0, 0), padding])),
    /w: file is truncated/,
  ],
  [
    'overlapping tensors',
    handMade(
      { tensors: 2 },
      Buffer.concat([tensor('a', [16], 0, 0), tensor('b', [8], 0, 32), padding, padding]),
    ),
    /b: offset 32 overlaps the tensor before it, 64 is due/,
  ],
  [
    'gap between tensors',
    handMade(
      { tensors: 2 },
      Buffer.concat([tensor('a', [8], 0, 0), tensor('b', [8], 0, 64), padding, padding]),
    ),
    /b: offset 64 leaves a gap/,
  ],
  [
    'repeated tensor',
    handMade(
      { tensors: 2 },
      Buffer.concat([tensor('a', [8], 0, 0), tensor('a', [8], 0, 32), padding, padding]),
    ),
    /tensor a appears twice/,
  ],
  [
    'no architecture',
    handMade({ tensors: 1 }, Buffer.concat([tensor('a', [8], 0, 0), padding])),
    /architecture undefined/,
  ],
];

describe('a list of texts', () => {
  const written = async (texts: readonly string[]) => {
    const path = join(temporaryDirectory(), 'texts.gguf');
    const list = { type: 'array', element: 'string', value: texts } as const;
    await writeModelGguf(
      config,
      randomWeights(config),
      path,
      'f32',
      new Map([['tokenizer.ggml.tokens', list]]),
    );
    return path;
  };

  it('is counted at once and decoded when it is asked for, whatever the window holds', async () => {
    // Longer than the window of the reader, in short and in long pieces.
    const texts = Array.from({ length: 3000 }, (_, i) => (i % 1000 === 7 ? 'ä'.repeat(700_000) : `é${i}`));
    const file = await ByteFile.open(await written(texts));
    const { metadata } = await parseGguf(file);
    await file.close();
    const list = metadata.get('tokenizer.ggml.tokens');
    expect(countOf(list)).toBe(3000);
    expect(list?.value).toEqual(texts);
    expect(list?.value).toBe(list?.value);
    expect([countOf(metadata.get('general.name')), countOf(undefined)]).toEqual([null, null]);
  });

  it('that is not UTF-8 blocks who reads it, and not the model', async () => {
    const path = await written(['owl', 'elk']);
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('owl')] = 0xff;
    writeFileSync(path, bytes);
    const { metadata, weights } = await openGguf(path);
    await weights.close();
    expect(() => metadata.get('tokenizer.ggml.tokens')?.value).toThrow(/tokenizer.ggml.tokens is not UTF-8/);
    await expect(loadModel(path)).rejects.toThrow(DataError);
  });
});

describe('damaged GGUF', () => {
  it.each(DAMAGED)('%s is refused by name', async (_, bytes, message) => {
    const path = join(temporaryDirectory(), 'bad.gguf');
    writeFileSync(path, bytes);
    await expect(openGguf(path)).rejects.toThrow(message);
    await expect(openGguf(path)).rejects.toThrow(path);
  });

  it('refuses a model whose metadata is wrong, naming the key', async () => {
    const path = join(temporaryDirectory(), 'm.gguf');
    const heads = new Map<string, GgufValue>([
      ...NO_TOKENIZER,
      ['llada.attention.head_count', { type: 'u32', value: 0 }],
    ]);
    await writeModelGguf(config, weights, path, 'f32', heads);
    await expect(openGguf(path)).rejects.toThrow(/llada.attention.head_count .*: /);
    await writeGguf(path, new Map([['general.architecture', { type: 'string', value: 'gpt9' }]]), new Map());
    await expect(openGguf(path)).rejects.toThrow(/architecture gpt9 is not supported/);
  });
});
