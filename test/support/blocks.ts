import type { ModelConfig } from '../../src/model/config.js';
import { bytesOf } from '../../src/model/dtype.js';
import { CODECS, type WeightDType } from '../../src/model/formats/blocks/index.js';
import { decodeWeight } from '../../src/model/formats/codec.js';
import { toF16Bits } from '../../src/model/formats/f16.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import type { WeightSource } from '../../src/model/weights.js';
import { randomWeights } from './tiny-model.js';

/** Where a block has halves: first the scale, then the minimum. 0 alone where nothing is said. */
const HALVES: Partial<Record<WeightDType, readonly number[]>> = {
  q4_1: [0, 2],
  q5_1: [0, 2],
  q2_k: [80, 82],
  q3_k: [108],
  q4_k: [0, 2],
  q5_k: [0, 2],
  q6_k: [208],
  mxfp4: [],
};

/** Bytes of blocks with finite scales, from a seed: the same on every machine. */
export function randomBlocks(dtype: WeightDType, count: number, seed: number): Uint8Array {
  const { bytes } = CODECS[dtype];
  const out = new Uint8Array(count * bytes);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < out.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = state >>> 11;
  }
  for (let block = 0; block < out.length; block += bytes) {
    for (const at of HALVES[dtype] ?? [0]) {
      // An exponent of ones is infinity or NaN.
      if ((out[block + at + 1] & 0x7c) === 0x7c) out[block + at + 1] ^= 0x40;
    }
  }
  return out;
}

/** Blocks of random codes whose values have about the given deviation. */
export function tameBlocks(dtype: WeightDType, count: number, seed: number, deviation: number): Uint8Array {
  const { bytes } = CODECS[dtype];
  const out = randomBlocks(dtype, count, seed);
  const scaleBy = (scale: number) => {
    for (let block = 0; block < out.length; block += bytes) {
      for (const [i, at] of (HALVES[dtype] ?? [0]).entries()) {
        const sign = (block / bytes) % 2 === 0 || i > 0 ? 1 : -1;
        // Minima about as large as the middle of the codes.
        const half = toF16Bits(sign * scale * (i > 0 && dtype.endsWith('_1') ? -8 : 1));
        out[block + at] = half & 255;
        out[block + at + 1] = half >> 8;
      }
      if (dtype === 'mxfp4') out[block] = 128 + Math.round(Math.log2(scale));
    }
  };
  scaleBy(1);
  const values = CODECS[dtype].decode(out);
  const squares = values.reduce((sum, x) => sum + x * x, 0) / values.length;
  scaleBy(deviation / Math.sqrt(squares));
  return out;
}

/**
 * Random weights of a model in storage formats of one's choice, and the same weights decoded to f32.
 * @param formatOf format of a matrix; gains, biases and routers are f32
 */
export function storedWeights(
  config: ModelConfig,
  formatOf: (id: string) => WeightDType,
  seed = 1,
): { readonly stored: WeightSource; readonly decoded: WeightSource } {
  const plain = randomWeights(config);
  const shapes = weightShapes(config);
  const formats = new Map(
    [...shapes].map(
      ([id, shape]) =>
        [id, shape.length === 1 || id.includes('ffn_gate_inp') ? 'f32' : formatOf(id)] as const,
    ),
  );
  const raw = new Map<string, Uint8Array>();
  const readRaw = async (id: string) => {
    const dtype = formats.get(id)!;
    const { packed, encode } = CODECS[dtype];
    if (packed === null) return encode!(await plain.read(id));
    const bytes = raw.get(id);
    if (bytes !== undefined) return bytes;
    const shape = shapes.get(id)!;
    const made = tameBlocks(
      dtype,
      bytesOf(shape, dtype) / packed.bytes,
      seed + 7919 * [...shapes.keys()].indexOf(id),
      1 / Math.sqrt(shape.at(-1)!),
    );
    raw.set(id, made);
    return made;
  };
  const read = async (id: string) => decodeWeight(formats.get(id)!, await readRaw(id), id);
  const info = (id: string) => {
    const dtype = formats.get(id);
    const shape = shapes.get(id);
    return dtype && shape && { shape, dtype, bytes: bytesOf(shape, dtype) };
  };
  const common = { label: 'stored', names: () => [...shapes.keys()], read, close: async () => {} };
  return {
    stored: { ...common, info, readRaw },
    decoded: {
      ...common,
      info: (id) => {
        const shape = shapes.get(id);
        return shape && { shape, dtype: 'f32', bytes: bytesOf(shape, 'f32') };
      },
      readRaw: async (id) => new Uint8Array((await read(id)).buffer),
    },
  };
}
