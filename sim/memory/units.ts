import type { LiveRange } from './lifetimes.js';

/** Weights that are mapped, staged or demoted together. */
export interface WeightUnit {
  /** Id of its first large tensor. */
  readonly id: string;
  readonly bytes: number;
  /** Positions of its tensors relative to the unit's address. */
  readonly offsets: ReadonlyMap<string, number>;
}

/** Tensors start on a multiple of this inside a buffer, one vector register. */
const TENSOR_ALIGNMENT = 128;

/** A gain or bias this many times smaller than its neighbour is not worth a mapping of its own. */
const NEGLIGIBLE = 64;

/**
 * Splits weights, in order of first use, into units: each large tensor is one. Gains and biases join a neighbour,
 * and so do all weights of one operator, because it needs them at the same time.
 */
export function unitsOf(weights: readonly LiveRange[], alignmentBytes: number): WeightUnit[] {
  const firstUse = new Map(weights.map((weight) => [weight.tensor, weight.first]));
  const parts = weights.map(({ tensor, bytes }) => ({ id: tensor, bytes, offsets: new Map([[tensor, 0]]) }));
  return pack(parts, (unit, next) => {
    const sameOp = [...unit.offsets.keys()].some((tensor) => firstUse.get(tensor) === firstUse.get(next.id));
    return sameOp || unit.bytes < alignmentBytes || next.bytes * NEGLIGIBLE < unit.bytes;
  });
}

/** Packs units in order into buffers of at most `limitBytes`; a unit larger than that gets its own. */
export function buffersOf(units: readonly WeightUnit[], limitBytes: number): WeightUnit[] {
  return pack(units, (buffer, next) => buffer.bytes + next.bytes <= limitBytes);
}

function pack(
  parts: readonly WeightUnit[],
  joins: (open: WeightUnit, next: WeightUnit) => boolean,
): WeightUnit[] {
  const packed: { id: string; bytes: number; offsets: Map<string, number>; largest: number }[] = [];
  for (const part of parts) {
    let open = packed.at(-1);
    if (open === undefined || !joins(open, part)) {
      open = { id: part.id, bytes: 0, offsets: new Map(), largest: 0 };
      packed.push(open);
    }
    for (const [tensor, offset] of part.offsets) open.offsets.set(tensor, open.bytes + offset);
    open.bytes += Math.ceil(part.bytes / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;
    if (part.bytes > open.largest) {
      open.largest = part.bytes;
      open.id = part.id;
    }
  }
  return packed.map(({ id, bytes, offsets }) => ({ id, bytes, offsets }));
}

/** Which unit holds a tensor. */
export function unitIndex(units: readonly WeightUnit[]): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  units.forEach((unit, at) => {
    for (const tensor of unit.offsets.keys()) index.set(tensor, at);
  });
  return index;
}
