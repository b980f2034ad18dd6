import fc from 'fast-check';
import {
  type GgufHeader,
  type GgufScalar,
  type ScalarType,
  VALUE_TYPES,
} from '../../src/model/formats/gguf-types.js';

/** One count, length, number or text of a header: what a damage replaces, doubles or leaves out. */
type Field = Buffer;

const u32 = (value: number): Field => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number | bigint): Field => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
  return bytes;
};
const text = (value: string): Field[] => {
  const bytes = Buffer.from(value);
  return [u64(bytes.length), bytes];
};

function scalar(type: ScalarType, value: GgufScalar): Field[] {
  if (type === 'string') return text(String(value));
  if (type === 'u64' || type === 'i64') return [u64(BigInt(value))];
  const bytes = Buffer.alloc(8);
  const number = Number(value);
  if (type === 'f64') bytes.writeDoubleLE(number);
  else if (type === 'f32') bytes.writeFloatLE(number);
  else if (type === 'u32') bytes.writeUInt32LE(number);
  else bytes.writeInt32LE(number);
  const width = { u8: 1, i8: 1, bool: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, f64: 8 }[type];
  return [bytes.subarray(0, width)];
}

/** The header of a GGUF file, field by field (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). */
export function ggufFields({ metadata, tensors }: GgufHeader): Field[] {
  const first = Math.min(...[...tensors.values()].map(({ offset }) => offset));
  return [
    ...[Buffer.from('GGUF'), u32(3), u64(tensors.size), u64(metadata.size)],
    ...[...metadata].flatMap(([key, entry]): Field[] => [
      ...[...text(key), u32(VALUE_TYPES[entry.type])],
      ...(entry.type === 'array'
        ? [
            ...[u32(VALUE_TYPES[entry.element]), u64(entry.value.length)],
            ...entry.value.flatMap((value) => scalar(entry.element, value)),
          ]
        : scalar(entry.type, entry.value)),
    ]),
    ...[...tensors.values()].flatMap(({ name, shape, type, offset }): Field[] => [
      ...[...text(name), u32(shape.length)],
      ...shape.toReversed().map(u64),
      ...[u32(type), u64(offset - first)],
    ]),
  ];
}

/** What stands in a field: sizes that are not there, codes of other types, numbers at the ends of their range. */
const NUMBERS = [
  0n,
  1n,
  2n,
  5n,
  8n,
  9n,
  13n,
  31n,
  255n,
  4096n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const TEXTS = [
  '',
  '\u0000',
  '\ud800',
  'a'.repeat(70_000),
  'general.alignment',
  '{% for i in range(10**9) %}x{% endfor %}',
  '('.repeat(5000),
];

/** A header with one to three of its fields damaged, and the data behind it, whole or cut off. */
export const damagedGguf = (fields: readonly Field[], data: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .record({
      damages: fc.array(
        fc.record({
          // Half of them where counts and the first keys stand.
          at: fc.oneof(fc.nat(fields.length - 1), fc.nat(Math.min(60, fields.length - 1))),
          kind: fc.constantFrom('number', 'number', 'text', 'remove', 'repeat', 'swap'),
          number: fc.constantFrom(...NUMBERS),
          text: fc.constantFrom(...TEXTS),
          length: fc.integer({ min: 1, max: 12 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      keep: fc.oneof(
        { weight: 4, arbitrary: fc.constant(1) },
        { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
      ),
    })
    .map(({ damages, keep }) => {
      const parts = [...fields];
      for (const { at, kind, number, text: put, length } of damages) {
        const place = at % parts.length;
        const field = parts[place];
        if (kind === 'number') parts[place] = u64(number).subarray(0, Math.min(8, field.length));
        else if (kind === 'text') parts.splice(Math.max(0, place - 1), 2, ...text(put));
        else if (kind === 'remove') parts.splice(place, length);
        else if (kind === 'repeat') parts.splice(place, 0, ...parts.slice(place, place + length));
        else parts.splice(place, 1, ...parts.splice((place + length) % parts.length, 1, field));
        if (parts.length === 0) parts.push(field);
      }
      const header = Buffer.concat(parts);
      const padding = Buffer.alloc((32 - (header.length % 32)) % 32);
      const whole = Buffer.concat([header, padding, data]);
      return whole.subarray(0, Math.floor(keep * whole.length));
    });
