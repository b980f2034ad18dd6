import { DataError } from '../errors.js';
import { type PackedFormat, splitBlocks } from '../model/formats/blocks/packed.js';
import type { Region } from './external-data.js';
import type { OnnxBuilder } from './onnx-builder.js';

/**
 * Weights of formats that no operator of ONNX Runtime reads: their codes in planes of 1, 2 and 4 bits, scales and
 * minima as they are, unpacked by plain operators when a product needs them, and forgotten after it. As many bytes as
 * the file has, and the same values (docs/adr/117-codes-in-planes.md).
 */

/** Bits of the planes of a code, lowest first. */
const PLANES: Readonly<Record<number, readonly number[]>> = {
  2: [2],
  3: [2, 1],
  4: [4],
  5: [4, 1],
  6: [4, 2],
};

function planesOf({ levels }: PackedFormat): readonly number[] {
  const planes = PLANES[Math.log2(levels.length)];
  if (planes === undefined) throw new Error(`no planes for codes of ${levels.length} levels`);
  return planes;
}

/** The tensors of a weight: what each is called, and its bytes per row of `width` values. */
interface PlanePart {
  readonly name: string;
  readonly type: 'u8' | 'f32';
  readonly perRow: number;
}

export function planeParts(format: PackedFormat, width: number): readonly PlanePart[] {
  const blocks = width / format.elements;
  const groups = (width / format.group) * ((format.groupBits ?? 8) / 8);
  const codes = planesOf(format).map(
    (bits, i): PlanePart => ({ name: `plane${i}`, type: 'u8', perRow: (width * bits) / 8 }),
  );
  const scales: PlanePart[] = [{ name: 'scales', type: 'f32', perRow: blocks }];
  if (format.grouped) scales.push({ name: 'group_scales', type: 'u8', perRow: groups });
  if (format.shifted) scales.push({ name: 'mins', type: 'f32', perRow: blocks });
  if (format.shifted && format.grouped) scales.push({ name: 'group_mins', type: 'u8', perRow: groups });
  return [...codes, ...scales];
}

export function bytesPerRow({ type, perRow }: PlanePart): number {
  return type === 'f32' ? 4 * perRow : perRow;
}

/**
 * Bytes of the parts of a weight, in the order of `planeParts`.
 * @param label what errors call the weight
 * @throws DataError for a scale that is not finite
 */
export function packPlanes(
  format: PackedFormat,
  bytes: Uint8Array,
  width: number,
  label: string,
): readonly Uint8Array[] {
  const { codes, scales, groupScales, mins, groupMins } = splitBlocks(format, bytes);
  for (const of of [scales, mins]) {
    const bad = of.findIndex((scale) => !Number.isFinite(scale));
    if (bad >= 0) throw new DataError(`${label}: scale of block ${bad} is not finite`);
  }
  let low = 0;
  const planes = planesOf(format).map((bits) => {
    const plane = packPlane(codes, width, low, bits);
    low += bits;
    return plane;
  });
  const floats = (values: Float32Array) => new Uint8Array(values.buffer);
  const parts = [...planes, floats(scales)];
  const perRow = width / format.group;
  const halved = (factors: Uint8Array) => packPlane(factors, perRow, 0, 4);
  // With 128 as zero, as ONNX Runtime shifts and masks unsigned bytes only; never negative ones are two in a byte.
  if (format.grouped)
    parts.push(
      format.groupBits === 4
        ? halved(Uint8Array.from(groupScales))
        : Uint8Array.from(groupScales, (scale) => scale + 128),
    );
  if (format.shifted) parts.push(floats(mins));
  if (format.shifted && format.grouped) parts.push(format.groupBits === 4 ? halved(groupMins) : groupMins);
  return parts;
}

/** Bits `low` to `low + bits` of the codes: byte j of a row has those of columns j, j + stride, j + 2 stride, ... */
function packPlane(codes: Uint8Array, width: number, low: number, bits: number): Uint8Array {
  const stride = (width * bits) / 8;
  const mask = 2 ** bits - 1;
  const plane = new Uint8Array((codes.length * bits) / 8);
  for (let row = 0, out = 0; row < codes.length; row += width, out += stride) {
    for (let part = 0; part < 8 / bits; part++) {
      const from = row + part * stride;
      for (let j = 0; j < stride; j++) plane[out + j] |= ((codes[from + j] >>> low) & mask) << (part * bits);
    }
  }
  return plane;
}

/** Rows of a weight as tensors of a graph. */
export interface PlaneTensors {
  readonly format: PackedFormat;
  readonly width: number;
  readonly rows: number;
  /** Names in the order of `planeParts`. */
  readonly names: readonly string[];
}

/** Declares `rows` rows from row `first` of what `packPlanes` wrote to `regions`. */
export function planeTensors(
  onnx: OnnxBuilder,
  id: string,
  weight: { readonly format: PackedFormat; readonly width: number; readonly regions: readonly Region[] },
  first: number,
  rows: number,
): PlaneTensors {
  const { format, width, regions } = weight;
  const names = planeParts(format, width).map((part, i) => {
    const bytes = bytesPerRow(part);
    const region = { offset: regions[i].offset + first * bytes, bytes: rows * bytes };
    return onnx.external(`${id}.${first}.${rows}.${part.name}`, part.type, [rows, part.perRow], region);
  });
  return { format, width, rows, names };
}

/**
 * Values [rows, width] of a weight, or of its rows that `ids` names.
 * @param name of the result
 * @param after a tensor that comes before: without one, the runtime would unpack every weight first
 */
export function unpackPlanes(
  onnx: OnnxBuilder,
  name: string,
  { format, width, names }: PlaneTensors,
  after: string,
  ids: string | null = null,
): string {
  const node = (part: string, type: string, inputs: readonly string[], attributes = {}) =>
    onnx.node(type, `${name}.${part}`, inputs, attributes);
  const zero = zeroAfter(onnx, after);
  const parts = planeParts(format, width);
  const rest = names.map((tensor, i) => {
    if (ids !== null) return node(`rows${i}`, 'Gather', [tensor, ids], { axis: 0 });
    // Codes wait by the numbers that they are shifted and masked with: a pass over them would cost a seventh of the time.
    const waits = parts[i].type === 'u8' && !parts[i].name.startsWith('plane');
    return waits ? node(`later${i}`, 'BitwiseOr', [tensor, zero]) : tensor;
  });
  const take = () => rest.shift() ?? '';
  let codes = '';
  let low = 0;
  const late = (value: number): string => {
    if (ids !== null) return byte(onnx, value);
    const shared = `${after}.byte${value}`;
    return onnx.hasNode(shared) ? shared : onnx.node('BitwiseOr', shared, [byte(onnx, value), zero]);
  };
  for (const [i, bits] of planesOf(format).entries()) {
    const plane = take();
    const mask = late(2 ** bits - 1);
    const pieces = Array.from({ length: 8 / bits }, (_, part) => {
      const moved =
        part === 0
          ? plane
          : onnx.node('BitShift', `${name}.shift${i}.${part}`, [plane, late(part * bits)], {
              direction: { s: 'RIGHT' },
            });
      return node(`piece${i}.${part}`, 'BitwiseAnd', [moved, mask]);
    });
    const joined = node(`codes${i}`, 'Concat', pieces, { axis: 1 });
    if (i === 0) codes = joined;
    else {
      const high = onnx.node('BitShift', `${name}.high${i}`, [joined, byte(onnx, low)], {
        direction: { s: 'LEFT' },
      });
      codes = node(`joined${i}`, 'BitwiseOr', [codes, high]);
    }
    low += bits;
  }
  const perBlock = format.elements / format.group;
  const factors = (part: string, bytes: string): string => {
    if (format.groupBits !== 4) return bytes;
    const low = node(`${part}.low`, 'BitwiseAnd', [bytes, byte(onnx, 15)]);
    const moved = onnx.node('BitShift', `${name}.${part}.moved`, [bytes, byte(onnx, 4)], {
      direction: { s: 'RIGHT' },
    });
    return node(`${part}.codes`, 'Concat', [low, moved], { axis: 1 });
  };
  const factor = (part: string, zero: number): string => {
    const ofBlock = take();
    if (!format.grouped) return node(part, 'Reshape', [ofBlock, onnx.ints([-1, 1])]);
    const floats = node(`${part}.floats`, 'Cast', [factors(part, take())], { to: 1 });
    const signed = zero === 0 ? floats : node(`${part}.signed`, 'Sub', [floats, onnx.float(zero)]);
    const groups = node(`${part}.groups`, 'Reshape', [signed, onnx.ints([-1, perBlock])]);
    const column = node(`${part}.blocks`, 'Reshape', [ofBlock, onnx.ints([-1, 1])]);
    const product = node(`${part}.product`, 'Mul', [groups, column]);
    return node(part, 'Reshape', [product, onnx.ints([-1, 1])]);
  };
  const byGroup = node('by_group', 'Reshape', [
    levelsOf(onnx, name, format, codes),
    onnx.ints([-1, format.group]),
  ]);
  const scaled = node('scaled', 'Mul', [byGroup, factor('scale', format.groupBits === 4 ? 0 : 128)]);
  const values = format.shifted ? node('shifted', 'Sub', [scaled, factor('min', 0)]) : scaled;
  return onnx.node('Reshape', name, [values, onnx.ints([-1, width])]);
}

function levelsOf(onnx: OnnxBuilder, name: string, { levels }: PackedFormat, codes: string): string {
  const even = levels.every((level, i) => level === levels[0] + i);
  if (even) {
    const floats = onnx.node('Cast', `${name}.floats`, [codes], { to: 1 });
    return levels[0] === 0 ? floats : onnx.node('Add', `${name}.levels`, [floats, onnx.float(levels[0])]);
  }
  const table = onnx.constant(
    `levels.${levels.join('_')}`,
    'f32',
    [levels.length],
    new Uint8Array(Float32Array.from(levels).buffer),
  );
  const indices = onnx.node('Cast', `${name}.indices`, [codes], { to: 6 });
  return onnx.node('Gather', `${name}.levels`, [table, indices], { axis: 0 });
}

function byte(onnx: OnnxBuilder, value: number): string {
  return onnx.constant(`byte.${value}`, 'u8', [], Uint8Array.of(value));
}

/**
 * A zero that the runtime knows when `after` is there. What depends on constants alone it would compute when it opens the
 * model, and keep every weight in f32.
 */
function zeroAfter(onnx: OnnxBuilder, after: string): string {
  const name = `${after}.zero`;
  if (onnx.hasNode(name)) return name;
  const count = onnx.node('Size', `${after}.count`, [after]);
  const none = onnx.node('Mul', `${after}.none`, [count, onnx.ints([0], true)]);
  return onnx.node('Cast', name, [none], { to: 2 });
}
