import type { WeightDType } from './blocks/index.js';

/** GGUF v3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), little-endian. */
export const GGUF_MAGIC = 0x46554747;
export const GGUF_VERSION = 3;
/** Version 3 differs from 2 in nothing but that it may be big-endian. */
export const READ_VERSIONS: readonly number[] = [2, GGUF_VERSION];
export const DEFAULT_ALIGNMENT = 32;
/** ggml keeps names in 64 bytes with the terminating zero. */
export const MAX_NAME_BYTES = 63;
export const MAX_DIMENSIONS = 4;

/** Numeric codes of metadata value types. */
export const VALUE_TYPES = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

export type ScalarType = Exclude<keyof typeof VALUE_TYPES, 'array'>;

/** Bytes of one value; a string has at least its length field. */
export const SCALAR_BYTES: Readonly<Record<ScalarType, number>> = {
  u8: 1,
  i8: 1,
  bool: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  u64: 8,
  i64: 8,
  f64: 8,
  string: 8,
};

export type GgufScalar = number | bigint | boolean | string;

/** A metadata value with the type it is stored as. */
export type GgufValue =
  | { readonly type: ScalarType; readonly value: GgufScalar }
  | { readonly type: 'array'; readonly element: ScalarType; readonly value: readonly GgufScalar[] };

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** Names of further ggml types, so that refusing one can name it. */
export const OTHER_TENSOR_TYPES: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  21: 'IQ3_S',
  22: 'IQ2_S',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  31: 'Q4_0_4_4',
  32: 'Q4_0_4_8',
  33: 'Q4_0_8_8',
  34: 'TQ1_0',
  35: 'TQ2_0',
};

export interface GgufTensor {
  readonly name: string;
  /** Row-major, slowest dimension first: the reverse of the file's order. */
  readonly shape: readonly number[];
  readonly dtype: WeightDType;
  /** Absolute offset in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly metadata: GgufMetadata;
  /** In file order. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
