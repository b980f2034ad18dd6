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

/** Consecutive parts put together. */
export interface Grouping {
  /** Bytes of each group. */
  readonly sizes: readonly number[];
  /** Group of each part. */
  readonly groupOf: readonly number[];
}

/** @param joins whether part `at` goes with the open group, which has `openBytes` */
function group(bytes: readonly number[], joins: (openBytes: number, at: number) => boolean): Grouping {
  const sizes: number[] = [];
  const groupOf: number[] = [];
  let open = 0;
  for (let at = 0; at < bytes.length; at++) {
    const size = roundUp(bytes[at]);
    if (at > 0 && joins(open, at)) {
      open += size;
      sizes[sizes.length - 1] = open;
    } else {
      open = size;
      sizes.push(open);
    }
    groupOf.push(sizes.length - 1);
  }
  return { sizes, groupOf };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;
}

/**
 * Weights, in order of first use, as units: each large tensor is one. Gains and biases join a neighbour, and so do all
 * weights of one operator, because it needs them at the same time.
 * @param firstUse operator that reads each first
 */
export function groupWeights(
  bytes: readonly number[],
  firstUse: readonly number[],
  alignmentBytes: number,
): Grouping {
  const joins = (open: number, at: number): boolean =>
    firstUse[at] === firstUse[at - 1] || open < alignmentBytes || bytes[at] * NEGLIGIBLE < open;
  return group(bytes, joins);
}

/** Units in order as buffers of at most `limitBytes`; a unit larger than that gets its own. */
export function packBytes(bytes: readonly number[], limitBytes: number): Grouping {
  return group(bytes, (open, at) => open + bytes[at] <= limitBytes);
}

/** The units of `groupWeights`. */
export function unitsOf(weights: readonly LiveRange[], alignmentBytes: number): WeightUnit[] {
  const parts = weights.map(({ tensor, bytes }) => ({ id: tensor, bytes, offsets: null }));
  const grouping = groupWeights(
    weights.map(({ bytes }) => bytes),
    weights.map(({ first }) => first),
    alignmentBytes,
  );
  return assemble(parts, grouping);
}

/** The buffers of `packBytes`. */
export function buffersOf(units: readonly WeightUnit[], limitBytes: number): WeightUnit[] {
  const bytes = units.map((unit) => unit.bytes);
  return assemble(units, packBytes(bytes, limitBytes));
}

/** What is put together: units, or tensors, which have no offsets inside. */
interface Part {
  readonly id: string;
  readonly bytes: number;
  readonly offsets: ReadonlyMap<string, number> | null;
}

/** A group is called after its largest part. */
function assemble(parts: readonly Part[], { sizes, groupOf }: Grouping): WeightUnit[] {
  const made = sizes.map((bytes) => ({ id: '', bytes, offsets: new Map<string, number>() }));
  const filled = sizes.map(() => ({ bytes: 0, largest: -1 }));
  parts.forEach((part, at) => {
    const unit = made[groupOf[at]];
    const so = filled[groupOf[at]];
    if (part.offsets === null) unit.offsets.set(part.id, so.bytes);
    else for (const [tensor, offset] of part.offsets) unit.offsets.set(tensor, so.bytes + offset);
    so.bytes += roundUp(part.bytes);
    if (part.bytes <= so.largest) return;
    so.largest = part.bytes;
    unit.id = part.id;
  });
  return made;
}

/** Which unit holds a tensor. */
export function unitIndex(units: readonly WeightUnit[]): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  units.forEach((unit, at) => {
    for (const tensor of unit.offsets.keys()) index.set(tensor, at);
  });
  return index;
}
