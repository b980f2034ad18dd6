import { fromF16Bits } from '../f16.js';

/** What the blocks of a weight hold, kind by kind. A value is `scale * levels[code] - min`. */
export interface Parts {
  /** One per value, indices of the format's levels. */
  readonly codes: Uint8Array;
  /** One per block. */
  readonly scales: Float32Array;
  /** One per group, factors of the block's scale; empty where the block is the group. */
  readonly groupScales: Int8Array;
  /** One per block; empty in formats around zero. */
  readonly mins: Float32Array;
  /** One per group, factors of the block's minimum; empty where the block is the group. */
  readonly groupMins: Uint8Array;
}

/** A format of codes with scales. Everything but the layout of a block follows from it. */
export interface PackedFormat {
  /** Values and bytes of a block. */
  readonly elements: number;
  readonly bytes: number;
  /** Values that share a scale. */
  readonly group: number;
  /** What the codes stand for; 2 to the power of the code's bits of them. */
  readonly levels: Int8Array;
  /** Whether groups have factors of their own, and whether there is a minimum. */
  readonly grouped: boolean;
  readonly shifted: boolean;
  /** Bits of a group's factors, where they are fewer than a byte has and never negative. */
  readonly groupBits?: 4;
  /** Takes apart block number `block`, whose bytes begin at `at`. */
  split(bytes: Uint8Array, at: number, block: number, parts: Parts): void;
}

/** Codes that stand for evenly spaced levels from `least`. */
export function evenLevels(bits: number, least: number): Int8Array {
  return Int8Array.from({ length: 2 ** bits }, (_, code) => code + least);
}

/** Room for the parts of so many values. */
export function partsFor(format: PackedFormat, values: number): Parts {
  const blocks = values / format.elements;
  const groups = format.grouped ? values / format.group : 0;
  return {
    codes: new Uint8Array(values),
    scales: new Float32Array(blocks),
    groupScales: new Int8Array(groups),
    mins: new Float32Array(format.shifted ? blocks : 0),
    groupMins: new Uint8Array(format.shifted ? groups : 0),
  };
}

/**
 * Takes whole blocks apart; nothing is rounded.
 * @param parts where to; what they had before is gone
 */
export function splitBlocks(
  format: PackedFormat,
  bytes: Uint8Array,
  parts: Parts = partsFor(format, valuesIn(format, bytes)),
): Parts {
  for (let block = 0, at = 0; at < bytes.length; block++, at += format.bytes)
    format.split(bytes, at, block, parts);
  return parts;
}

function valuesIn(format: PackedFormat, bytes: Uint8Array): number {
  return (bytes.length / format.bytes) * format.elements;
}

/** Room to decode in, for those who decode over and over: what lies unswept on the heap would outweigh a file. */
export interface DecodeRoom {
  readonly parts: Parts;
  readonly values: Float32Array;
}

export function roomFor(format: PackedFormat, values: number): DecodeRoom {
  return { parts: partsFor(format, values), values: new Float32Array(values) };
}

const { fround } = Math;

/**
 * Values of whole blocks, rounded where ggml rounds: after scale times code and after the minimum.
 * @param room where to; the values are good until it is used again
 */
export function decodePacked(
  format: PackedFormat,
  bytes: Uint8Array,
  room: DecodeRoom = roomFor(format, valuesIn(format, bytes)),
): Float32Array {
  const { codes, scales, groupScales, mins, groupMins } = splitBlocks(format, bytes, room.parts);
  const { group, levels, grouped, shifted } = format;
  const perBlock = format.elements / group;
  const values = room.values.subarray(0, valuesIn(format, bytes));
  for (let g = 0, at = 0; at < values.length; g++) {
    const block = grouped ? Math.floor(g / perBlock) : g;
    // A product of a half or a power of two and a byte is exact in f32.
    const scale = grouped ? scales[block] * groupScales[g] : scales[block];
    const min = !shifted ? 0 : grouped ? mins[block] * groupMins[g] : mins[block];
    for (const end = at + group; at < end; at++) values[at] = fround(scale * levels[codes[at]]) - min;
  }
  return values;
}

/** The half at a byte offset, little-endian. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return fromF16Bits(bytes[at] | (bytes[at + 1] << 8));
}

/** Nibbles of `count` bytes: the low ones of all bytes, then the high ones. */
export function splitNibbles(
  bytes: Uint8Array,
  from: number,
  count: number,
  codes: Uint8Array,
  to: number,
): void {
  for (let j = 0; j < count; j++) {
    codes[to + j] = bytes[from + j] & 15;
    codes[to + count + j] = bytes[from + j] >>> 4;
  }
}
