import { type DecodeRoom, decodePacked, type PackedFormat } from './packed.js';

/** A storage format of weights. */
export interface BlockCodec {
  /** ggml's number of the type, as GGUF files have it. */
  readonly id: number;
  /** Values and bytes of a block. */
  readonly elements: number;
  readonly bytes: number;
  /**
   * Little-endian bytes of whole blocks to values, as libggml's dequantiser gives them, bit by bit.
   * @param room of a packed format, where to
   */
  decode(bytes: Uint8Array, room?: DecodeRoom): Float32Array;
  /** Finite values, a whole number of blocks, to the bytes libggml's quantiser gives; null where nothing writes it. */
  readonly encode: ((values: Float32Array) => Uint8Array) | null;
  /** How a block comes apart; null for formats that are not codes with scales. */
  readonly packed: PackedFormat | null;
}

/** A format of codes with scales. */
export function packedCodec(
  id: number,
  packed: PackedFormat,
  encode: BlockCodec['encode'] = null,
): BlockCodec {
  return {
    id,
    elements: packed.elements,
    bytes: packed.bytes,
    decode: (bytes, room) => decodePacked(packed, bytes, room),
    encode,
    packed,
  };
}
