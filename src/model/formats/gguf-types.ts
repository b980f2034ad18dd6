import { CODECS, WEIGHT_DTYPES, type WeightDType } from './blocks/index.js';

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

/** A list of metadata values. Reading `value` of a list of texts may take a while, and throw DataError. */
export interface GgufArray {
  readonly type: 'array';
  readonly element: ScalarType;
  readonly value: readonly GgufScalar[];
}

/** A metadata value with the type it is stored as. */
export type GgufValue = { readonly type: ScalarType; readonly value: GgufScalar } | GgufArray;

const counts = new WeakMap<GgufArray, number>();

/** For a list whose values are not decoded yet. */
export function rememberCount(list: GgufArray, count: number): void {
  counts.set(list, count);
}

/** Number of values of a list; null of what is none. */
export function countOf(value: GgufValue | undefined): number | null {
  if (value?.type !== 'array') return null;
  return counts.get(value) ?? value.value.length;
}

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** A ggml type that nothing here computes with; its blocks where ggml still has it. */
interface OtherType {
  readonly name: string;
  readonly elements?: number;
  readonly bytes?: number;
}

function other(name: string, elements?: number, bytes?: number): OtherType {
  return { name, elements, bytes };
}

/** The other types of ggml (ggml_type_name, ggml_blck_size and ggml_type_size of its library). */
export const OTHER_TENSOR_TYPES: Readonly<Record<number, OtherType>> = {
  4: other('Q4_2'),
  5: other('Q4_3'),
  9: other('Q8_1', 32, 36),
  15: other('Q8_K', 256, 292),
  16: other('IQ2_XXS', 256, 66),
  17: other('IQ2_XS', 256, 74),
  18: other('IQ3_XXS', 256, 98),
  19: other('IQ1_S', 256, 50),
  21: other('IQ3_S', 256, 110),
  22: other('IQ2_S', 256, 82),
  24: other('I8', 1, 1),
  25: other('I16', 1, 2),
  26: other('I32', 1, 4),
  27: other('I64', 1, 8),
  28: other('F64', 1, 8),
  29: other('IQ1_M', 256, 56),
  31: other('Q4_0_4_4'),
  32: other('Q4_0_4_8'),
  33: other('Q4_0_8_8'),
  34: other('TQ1_0', 256, 54),
  35: other('TQ2_0', 256, 66),
  36: other('IQ4_NL_4_4'),
  37: other('IQ4_NL_4_8'),
  38: other('IQ4_NL_8_8'),
  40: other('NVFP4', 64, 36),
  41: other('Q1_0', 128, 18),
  42: other('Q2_0', 64, 18),
};

/** A tensor as a header lists it, of whatever type. */
export interface ListedTensor {
  readonly name: string;
  /** Row-major, slowest dimension first: the reverse of the file's order. */
  readonly shape: readonly number[];
  /** ggml's number of the type. */
  readonly type: number;
  /** Absolute offset in the file. */
  readonly offset: number;
  /** Of a type that nobody knows, up to the next tensor. */
  readonly bytes: number;
}

/** A tensor of a type that is computed with. */
export interface GgufTensor extends ListedTensor {
  readonly dtype: WeightDType;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: GgufMetadata;
  /** In file order. */
  readonly tensors: ReadonlyMap<string, ListedTensor>;
}

const DTYPES: ReadonlyMap<number, WeightDType> = new Map(
  WEIGHT_DTYPES.map((dtype) => [CODECS[dtype].id, dtype]),
);

/** The format behind a type; undefined for one that nothing here computes with. */
export function dtypeOf(type: number): WeightDType | undefined {
  return DTYPES.get(type);
}

/** What ggml calls a type, or its number. */
export function typeName(type: number): string {
  return DTYPES.get(type)?.toUpperCase() ?? OTHER_TENSOR_TYPES[type]?.name ?? `type ${type}`;
}

/** Values and bytes of a block of a type; undefined where nobody knows. */
export function blockOfType(type: number): { readonly elements: number; readonly bytes: number } | undefined {
  const dtype = DTYPES.get(type);
  if (dtype !== undefined) return CODECS[dtype];
  const { elements, bytes } = OTHER_TENSOR_TYPES[type] ?? {};
  return elements === undefined || bytes === undefined ? undefined : { elements, bytes };
}

export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
