import { createCipheriv, createHash } from 'node:crypto';
import { DataError } from '../../errors.js';
import type { ModelConfig } from '../config.js';
import { bytesOf } from '../dtype.js';
import type { WeightDType } from '../formats/blocks/index.js';
import { decodeWeight, encodeWeight } from '../formats/codec.js';
import { storedDType } from '../formats/convert.js';
import { toF16Bits } from '../formats/f16.js';
import type { Quant } from '../precision.js';
import { weightShapes } from '../weight-ids.js';
import { type RowRange, rowCount, type WeightSource } from '../weights.js';

/** Bytes drawn at a time. */
const CHUNK_BYTES = 1 << 22;
/** Standard deviation of a uniform code: 16 values of Q4_0, 255 of Q8_0. */
const CODE_DEVIATION = { q4_0: Math.sqrt((16 ** 2 - 1) / 12), q8_0: Math.sqrt((255 ** 2 - 1) / 12) } as const;

/**
 * Random weights that keep a forward pass numerically tame: matrices of variance 1 / fan-in around 0, gains near 1,
 * small biases. Made on demand in the storage format itself, so that 8 G parameters need neither memory nor minutes;
 * the same seed gives the same bytes on every machine (AES-CTR as the generator).
 */
export function syntheticWeights(config: ModelConfig, quant: Quant, seed: number): WeightSource {
  const label = `synthetic ${config.name}`;
  const shapes = weightShapes(config);
  const stored = (id: string) => {
    const shape = shapes.get(id);
    if (shape === undefined) throw new DataError(`${label}: weight ${id} is missing`);
    return { shape, dtype: storedDType(id, shape, quant) };
  };
  const readRaw = async (id: string): Promise<Uint8Array> => {
    const { shape, dtype } = stored(id);
    return drawRows(`${seed}:${id}`, id, shape, dtype, { first: 0, count: rowCount(shape) });
  };
  return {
    label,
    names: () => [...shapes.keys()],
    info: (id) => {
      if (!shapes.has(id)) return undefined;
      const { shape, dtype } = stored(id);
      return { shape, dtype, bytes: bytesOf(shape, dtype) };
    },
    read: async (id) => decodeWeight(stored(id).dtype, await readRaw(id), `${label}: ${id}`),
    readRaw,
    readRows: async (id, first, count) => {
      const { shape, dtype } = stored(id);
      return drawRows(`${seed}:${id}`, id, shape, dtype, { first, count });
    },
    close: async () => {},
  };
}

/** Rows of a weight. Every weight has a key stream of its own, in which its rows follow each other. */
function drawRows(
  key: string,
  id: string,
  shape: readonly number[],
  dtype: WeightDType,
  { first, count }: RowRange,
): Uint8Array {
  const width = shape.at(-1) ?? 1;
  const deviation = shape.length === 1 ? 0.1 : 1 / Math.sqrt(width);
  if (dtype === 'q4_0' || dtype === 'q8_0') {
    const rowBytes = bytesOf([width], dtype);
    return drawBlocks(new ByteStream(key, first * rowBytes), count * rowBytes, dtype, deviation);
  }
  const centre = shape.length === 1 && id.endsWith('.weight') ? 1 : 0;
  const values = new Float32Array(count * width);
  // A uniform variable of range w has deviation w / sqrt(12).
  const range = deviation * Math.sqrt(12);
  new ByteStream(key, first * width * 4).words(values.length, (word, i) => {
    values[i] = centre + range * (word / 4294967296 - 0.5);
  });
  return encodeWeight(dtype, values, id);
}

/** Uniform codes; scales of either sign, so that the asymmetric range of Q4_0 has no mean over blocks. */
function drawBlocks(
  random: ByteStream,
  length: number,
  dtype: 'q4_0' | 'q8_0',
  deviation: number,
): Uint8Array {
  const bytes = random.bytes(length);
  const stride = bytesOf([32], dtype);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const typical = deviation / CODE_DEVIATION[dtype];
  for (let at = 0; at < bytes.length; at += stride) {
    const word = view.getUint16(at, true);
    // 0.75 to 1.25 of the typical scale.
    const magnitude = typical * (0.75 + (word >>> 1) / 65536);
    view.setUint16(at, toF16Bits(word & 1 ? magnitude : -magnitude), true);
    // ggml's quantiser never writes -128.
    if (dtype === 'q8_0') for (let i = at + 2; i < at + stride; i++) if (bytes[i] === 0x80) bytes[i] = 0x81;
  }
  return bytes;
}

/** The key stream of AES-128-CTR under a key derived from a text. */
class ByteStream {
  private readonly cipher;
  private readonly zeros = new Uint8Array(CHUNK_BYTES);

  /** @param start bytes of the stream to leave out */
  constructor(text: string, start = 0) {
    const key = createHash('sha256').update(text).digest().subarray(0, 16);
    // The counter is the number of the 16-byte block.
    const counter = Buffer.alloc(16);
    counter.writeBigUInt64BE(BigInt(Math.floor(start / 16)), 8);
    this.cipher = createCipheriv('aes-128-ctr', key, counter);
    this.cipher.update(new Uint8Array(start % 16));
  }

  bytes(count: number): Uint8Array {
    const out = new Uint8Array(count);
    for (let at = 0; at < count; at += CHUNK_BYTES) {
      out.set(this.cipher.update(this.zeros.subarray(0, Math.min(CHUNK_BYTES, count - at))), at);
    }
    return out;
  }

  /** Calls `each` with `count` uniform 32-bit words. */
  words(count: number, each: (word: number, index: number) => void): void {
    for (let start = 0; start < count; start += CHUNK_BYTES / 4) {
      const length = Math.min(CHUNK_BYTES / 4, count - start);
      const chunk = this.bytes(length * 4);
      const view = new DataView(chunk.buffer);
      for (let i = 0; i < length; i++) each(view.getUint32(i * 4, true), start + i);
    }
  }
}
