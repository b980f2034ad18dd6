import { fromF16Bits, toF16Bits } from '../f16.js';
import type { BlockCodec } from './codec.js';

/** Unblocked formats. Files are little-endian, as is every platform Node runs on that this project supports. */

function decodeF32(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

function encodeF32(values: Float32Array): Uint8Array {
  return new Uint8Array(values.slice().buffer);
}

let halfValues: Float32Array | undefined;

/** All 65536 halves: a lookup is ten times faster than taking each apart. */
function halves(): Float32Array {
  halfValues ??= Float32Array.from({ length: 65536 }, (_, half) => fromF16Bits(half));
  return halfValues;
}

function decodeF16(bytes: Uint8Array): Float32Array {
  const table = halves();
  const stored = new Uint16Array(bytes.slice().buffer);
  const values = new Float32Array(stored.length);
  for (let i = 0; i < stored.length; i++) values[i] = table[stored[i]];
  return values;
}

function encodeF16(values: Float32Array): Uint8Array {
  // A loop: `Uint16Array.from` with a function first collects all values in an ordinary array.
  const stored = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) stored[i] = toF16Bits(values[i]);
  return new Uint8Array(stored.buffer);
}

/** bfloat16 is the upper half of an f32. */
function decodeBf16(bytes: Uint8Array): Float32Array {
  const stored = new Uint16Array(bytes.slice().buffer);
  const widened = new Uint32Array(stored.length);
  for (let i = 0; i < stored.length; i++) widened[i] = stored[i] << 16;
  return new Float32Array(widened.buffer);
}

/** Round to nearest even. */
function encodeBf16(values: Float32Array): Uint8Array {
  const words = new Uint32Array(values.slice().buffer);
  const stored = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const notANumber = (word & 0x7fffffff) > 0x7f800000;
    stored[i] = notANumber ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(stored.buffer);
}

export const F32: BlockCodec = plain(0, 4, decodeF32, encodeF32);
export const F16: BlockCodec = plain(1, 2, decodeF16, encodeF16);
export const BF16: BlockCodec = plain(30, 2, decodeBf16, encodeBf16);

function plain(
  id: number,
  bytes: number,
  decode: BlockCodec['decode'],
  encode: NonNullable<BlockCodec['encode']>,
): BlockCodec {
  return { id, elements: 1, bytes, decode, encode, packed: null };
}
