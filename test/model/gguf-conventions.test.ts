import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { encodeWeight } from '../../src/model/formats/codec.js';
import { configToGguf, isRotaryReordered } from '../../src/model/formats/gguf-config.js';
import { openParts } from '../../src/model/formats/gguf-parts.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import type { GgufValue } from '../../src/model/formats/gguf-types.js';
import { dtypeOf } from '../../src/model/formats/gguf-types.js';
import { type GgufTensorToWrite, piecesOf, writeGguf } from '../../src/model/formats/gguf-write.js';
import { loadModel } from '../../src/model/load.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { llamaMissing, loadLlama } from '../oracle/libllama.js';
import { denoisePass, textRows } from '../support/passes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const size = { hidden: 64, headDim: 16, ffn: 96, kvHeads: 2, tiedHead: false };
const dream = tinyConfig({
  ...size,
  arch: 'dream',
  qkvBias: true,
  shiftLogits: true,
  ropeTheta: 1e6,
  rmsEps: 1e-6,
});
const moe = tinyConfig({
  ...size,
  arch: 'llada-moe',
  kvHeads: 4,
  qkNorm: true,
  ffn: 0,
  moe: { experts: 4, expertsPerToken: 2, expertFfn: 32, renormalise: false },
});

interface File {
  readonly metadata: Map<string, GgufValue>;
  readonly tensors: Map<string, GgufTensorToWrite>;
}

/** A model as another tool writes it: this project's file, changed by hand. Rows of Q and K must need no reordering. */
async function foreign(config: ModelConfig, change: (file: File) => void | Promise<void>): Promise<string> {
  expect(isRotaryReordered(config.arch, 'blk.0.attn_q.weight')).toBe(false);
  const weights = randomWeights(config, 4);
  const metadata = configToGguf(config, 'f32');
  metadata.set('tokenizer.ggml.model', { type: 'string', value: 'none' });
  const tensors = new Map<string, GgufTensorToWrite>();
  for (const [id, shape] of weightShapes(config)) {
    tensors.set(id, {
      shape,
      dtype: 'f32',
      bytes: async () => encodeWeight('f32', await weights.read(id), id),
    });
  }
  await change({ metadata, tensors });
  const path = join(temporaryDirectory(), 'foreign.gguf');
  await writeGguf(path, metadata, tensors);
  return path;
}

/** Joins Q, K and V of every layer. */
function fuse({ tensors }: File, config: ModelConfig): void {
  const parts = ['weight', ...(config.qkvBias ? ['bias'] : [])];
  for (let layer = 0; layer < config.layers; layer++) {
    for (const part of parts) {
      const ids = ['attn_q', 'attn_k', 'attn_v'].map((name) => `blk.${layer}.${name}.${part}`);
      const own = ids.map((id) => tensors.get(id)!);
      const rows = own.reduce((sum, { shape }) => sum + shape[0], 0);
      for (const id of ids) tensors.delete(id);
      tensors.set(`blk.${layer}.attn_qkv.${part}`, {
        shape: [rows, ...own[0].shape.slice(1)],
        dtype: 'f32',
        bytes: async function* () {
          for (const { bytes } of own) yield* piecesOf(bytes());
        },
      });
    }
  }
}

const floats = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer);

async function expectSameWeights(path: string, config: ModelConfig): Promise<void> {
  const model = await openGguf(path);
  const original = randomWeights(config, 4);
  for (const id of original.names())
    expect(floats(await model.weights.readRaw(id)), id).toEqual(await original.read(id));
  await model.weights.close();
}

describe('files by other tools', () => {
  it.each([
    ['dream', dream],
    ['llada-moe', moe],
  ] as const)('%s with fused Q, K and V', async (_, config) => {
    const path = await foreign(config, (file) => fuse(file, config));
    await expectSameWeights(path, config);
    if (llamaMissing !== null) return;
    const oracle = (await loadLlama()).open(path);
    const model = await openGguf(path);
    const engine = await createTfjsEngine(model.config, model.weights);
    const ids = [7, 8, 9, 5, 5];
    const { logits } = await engine.run(denoisePass(0, textRows(ids)));
    const expected = oracle.logits(ids);
    expect(logits.reduce((max, v, i) => Math.max(max, Math.abs(v - expected[i])), 0)).toBeLessThan(1e-4);
    engine.dispose();
    oracle.close();
    await model.weights.close();
  });

  it.each([8, 64, 4096])('aligned to %i bytes', async (alignment) => {
    const path = await foreign(dream, ({ metadata }) => {
      metadata.set('general.alignment', { type: 'u32', value: alignment });
    });
    expect(readFileSync(path).length % alignment).toBe(0);
    await expectSameWeights(path, dream);
  });

  it('with none of the optional keys', async () => {
    const path = await foreign(moe, ({ metadata }) => {
      for (const key of [
        'general.name',
        'general.file_type',
        'general.quantization_version',
        'diffusion.shift_logits',
        'llada-moe.attention.head_count_kv',
        'llada-moe.rope.dimension_count',
        'llada-moe.vocab_size',
        'llada-moe.attention.causal',
        'llada-moe.rope.freq_base',
        'tokenizer.ggml.mask_token_id',
        'tokenizer.ggml.bos_token_id',
        'tokenizer.ggml.eos_token_id',
        'tokenizer.ggml.add_bos_token',
      ])
        metadata.delete(key);
    });
    const { config, weights } = await openGguf(path);
    expect(config).toEqual({ ...moe, name: 'llada-moe', maskId: null, bosId: null, endIds: [] });
    await weights.close();
  });

  it('find the mask by its text when no key names it', async () => {
    const path = await foreign(moe, ({ metadata }) => {
      metadata.delete('tokenizer.ggml.mask_token_id');
      const value = Array.from({ length: moe.vocab }, (_, id) => (id === 9 ? '<|mask|>' : `t${id}`));
      metadata.set('tokenizer.ggml.tokens', { type: 'array', element: 'string', value });
    });
    const { config, weights } = await openGguf(path);
    expect(config.maskId).toBe(9);
    await weights.close();
  });
});

describe('a split model', () => {
  /** Writes the tensors of a model round about into three parts. */
  async function writeParts(): Promise<string> {
    const directory = temporaryDirectory();
    const whole = await foreign(dream, () => {});
    const header = await openParts(whole);
    for (let part = 0; part < 3; part++) {
      const metadata = new Map<string, GgufValue>(part === 0 ? header.metadata : []);
      metadata.set('split.no', { type: 'u16', value: part });
      metadata.set('split.count', { type: 'u16', value: 3 });
      metadata.set('split.tensors.count', { type: 'i32', value: header.tensors.size });
      const tensors = [...header.tensors]
        .filter((_, at) => at % 3 === part)
        .map(([name, tensor]): [string, GgufTensorToWrite] => {
          const { shape, type, file, offset, bytes } = tensor;
          return [name, { shape, dtype: dtypeOf(type)!, bytes: () => file.read(offset, bytes, name) }];
        });
      await writeGguf(join(directory, `m-0000${part + 1}-of-00003.gguf`), metadata, new Map(tensors));
    }
    await Promise.all(header.files.map((file) => file.close()));
    return directory;
  }

  it('is read in place, by any part or by its directory', async () => {
    const directory = await writeParts();
    await expectSameWeights(join(directory, 'm-00001-of-00003.gguf'), dream);
    await expectSameWeights(join(directory, 'm-00003-of-00003.gguf'), dream);
    const model = await loadModel(directory);
    expect(model.config).toEqual(dream);
    expect(model.weights.files?.map((file) => file.slice(-9))).toEqual([1, 2, 3].map(() => '0003.gguf'));
    await model.weights.close();
  });

  it('without one of its parts, or with a part under another name, is refused by name', async () => {
    const directory = await writeParts();
    const [, second, third] = [1, 2, 3].map((no) => join(directory, `m-0000${no}-of-00003.gguf`));
    copyFileSync(third, second);
    await expect(openGguf(third)).rejects.toThrow(/00002-of-00003.gguf: says that it is another part/);
    rmSync(second);
    await expect(loadModel(directory)).rejects.toThrow(/part 2 of 3, .*m-00002-of-00003.gguf, is missing/);
    rmSync(join(directory, 'm-00001-of-00003.gguf'));
    await expect(loadModel(directory)).rejects.toThrow(
      /m-00003-of-00003.gguf: the first part of this split model is missing/,
    );
  });
});

const u32 = (value: number): GgufValue => ({ type: 'u32', value });
const extra: GgufTensorToWrite = { shape: [32], dtype: 'f32', bytes: async () => new Uint8Array(128) };

describe('what would change the logits is refused', () => {
  const REFUSED: readonly (readonly [string, (file: File) => void, RegExp])[] = [
    [
      'scaled positions',
      ({ metadata }) => metadata.set('dream.rope.scaling.type', { type: 'string', value: 'longrope' }),
      /dream.rope.scaling.type \w+: scaled rotary positions of this kind/,
    ],
    [
      'frequency factors',
      ({ tensors }) => tensors.set('rope_freqs.weight', extra),
      /rope_freqs.weight: llama.cpp does not divide/,
    ],
    [
      'partial rotation',
      ({ metadata }) => metadata.set('dream.rope.dimension_count', u32(7)),
      /dimension_count 7: cannot rotate 7 of 16/,
    ],
    [
      'a sliding window',
      ({ metadata }) => metadata.set('dream.attention.sliding_window', u32(64)),
      /sliding-window/,
    ],
    [
      'a bias of no known weight',
      ({ tensors }) => tensors.set('blk.0.attn_output.bias', extra),
      /blk.0.attn_output.bias: dream/,
    ],
    [
      'a fused matrix of other height',
      (file) => {
        fuse(file, dream);
        file.tensors.set('blk.1.attn_qkv.bias', extra);
      },
      /blk.1.attn_qkv.bias: 32 rows, Q, K and V have 128/,
    ],
    [
      'a part of a split file',
      ({ metadata }) => metadata.set('split.count', u32(3)),
      /part 1 of 3 of a split model, and its name does not say so.* llama-gguf-split --merge/,
    ],
    [
      'a vocabulary of another size than the embedding',
      ({ metadata }) => metadata.set('dream.vocab_size', u32(dream.vocab + 1)),
      /dream.vocab_size 41: token_embd.weight has 40 rows/,
    ],
    [
      'a mask outside the vocabulary',
      ({ metadata }) => metadata.set('tokenizer.ggml.mask_token_id', u32(dream.vocab)),
      /mask_token_id 40 is outside the vocabulary of 40/,
    ],
  ];
  it.each(REFUSED)('%s', async (_, change, message) => {
    const path = await foreign(dream, change);
    await expect(openGguf(path)).rejects.toThrow(message);
    await expect(openGguf(path)).rejects.toThrow(path);
  });
});
