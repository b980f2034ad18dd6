import { z } from 'zod';
import { toBase } from './units.js';

/**
 * Where a number comes from.
 * - `measured`: somebody measured it on this or a sibling chip; - `vendor`: data sheet or vendor source code;
 * - `derived`: arithmetic on measured or vendor numbers, said in `note`; - `fitted`: tuned to make an output match;
 * - `assumed`: nobody published it; a range goes with it.
 */
export const KINDS = ['measured', 'vendor', 'derived', 'fitted', 'assumed'] as const;
export type Kind = (typeof KINDS)[number];

/** Dimensions a field may have, and the base unit its value is kept in. */
const DIMENSIONS = {
  time: { base: 'ms', example: '88 us' },
  bytes: { base: 'B', example: '8 MiB' },
  rate: { base: 'GB/s', example: '60 GB/s' },
  frequency: { base: 'GHz', example: '2.11 GHz' },
  timePerByte: { base: 'ms/MB', example: '47.5 us/MB' },
  power: { base: 'W', example: '5 W' },
  energy: { base: 'pJ', example: '0.5 pJ' },
  energyPerByte: { base: 'pJ/B', example: '32 pJ/B' },
} as const;

/** `count` and `fraction` carry no unit; a fraction lies in [0, 1]. */
export type Dimension = keyof typeof DIMENSIONS | 'count' | 'fraction';

/** A number with its provenance, in base units (ms, bytes, GB/s, GHz, ms/MB, W, pJ, pJ/B, or plain). */
export interface Quantity {
  /** In base units: s, B, B/s, Hz, J, W, or a bare number. */
  readonly value: number;
  /** As written in the profile, e.g. `60 GB/s`. */
  readonly text: string;
  /** What it measures. */
  readonly dimension: Dimension;
  /** How it is known. */
  readonly kind: Kind;
  /** Where it comes from. */
  readonly source: string;
  /** Plausible interval in base units. */
  readonly range?: readonly [number, number];
  /** How it follows from the source. */
  readonly note?: string;
  /** Where a chip is slower than its predecessor: measurements of both by one harness. */
  readonly slowerBy?: string;
}

const entrySchema = z.strictObject({
  value: z.string().min(1),
  source: z.string().min(1),
  kind: z.enum(KINDS, {
    error: ({ input }) => `${JSON.stringify(input)} is not a kind (${KINDS.join(', ')})`,
  }),
  range: z.tuple([z.string(), z.string()]).optional(),
  note: z.string().optional(),
  slowerBy: z.string().optional(),
});

/** What a profile file holds for one number. */
export type QuantityEntry = z.infer<typeof entrySchema>;

/** Characters of a quantity, with room to spare. */
const LONGEST = 100;

/**
 * Parses `text` as a number of the given dimension, in base units.
 * @throws Error saying what is wrong: missing unit, wrong dimension, negative, a rate of zero, not finite
 */
export function parseQuantity(text: string, dimension: Dimension): number {
  // Ten thousand letters take the parser of units seconds.
  if (text.length > LONGEST) throw new Error(`"${text.slice(0, LONGEST)}..." is too long for a quantity`);
  const value = dimension === 'count' || dimension === 'fraction' ? plain(text) : inBase(text, dimension);
  if (!Number.isFinite(value)) throw new Error(`"${text}" is not a finite number`);
  if (value < 0) throw new Error(`"${text}" is negative`);
  // Work is divided by these.
  if (value === 0 && (dimension === 'rate' || dimension === 'frequency'))
    throw new Error(`"${text}" is zero`);
  if (dimension === 'fraction' && value > 1) throw new Error(`"${text}" is not a fraction of 1`);
  return value;
}

/** A value in base units as text that `parseQuantity` reads. */
export function baseText(value: number, dimension: Dimension): string {
  if (dimension === 'count' || dimension === 'fraction') return String(value);
  return `${value} ${DIMENSIONS[dimension].base}`;
}

function plain(text: string): number {
  if (!/^\s*-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text)) {
    throw new Error(`"${text}" must be a plain number without unit`);
  }
  return Number(text);
}

function inBase(text: string, dimension: keyof typeof DIMENSIONS): number {
  const { base, example } = DIMENSIONS[dimension];
  if (/^\s*[-+.\deE]+\s*$/.test(text)) throw new Error(`"${text}" has no unit (expected like "${example}")`);
  const value = toBase(text, base);
  if (value === 'unknown') throw new Error(`"${text}" is not a quantity (expected like "${example}")`);
  if (value === 'wrong dimension') {
    throw new Error(`"${text}" has the wrong dimension (expected like "${example}")`);
  }
  return value;
}

/** Zod schema of one field of a profile: checks provenance and dimension, yields a `Quantity`. */
export function quantity(dimension: Dimension) {
  return entrySchema.transform((entry, context): Quantity => {
    try {
      return toQuantity(entry, dimension);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}

/** @throws Error as `parseQuantity`, or when the range does not contain the value. */
export function toQuantity(entry: QuantityEntry, dimension: Dimension): Quantity {
  const { value: text, kind, source, note, slowerBy } = entry;
  const value = parseQuantity(text, dimension);
  if (kind === 'assumed' && entry.range === undefined) {
    throw new Error(`"${text}" is assumed and needs a range`);
  }
  if (entry.range === undefined) return { value, text, dimension, kind, source, note, slowerBy };
  const [from, to] = entry.range;
  const range = [parseQuantity(from, dimension), parseQuantity(to, dimension)] as const;
  if (value < range[0] || value > range[1]) {
    throw new Error(`"${text}" lies outside its range ${from} to ${to}`);
  }
  return { value, text, dimension, kind, source, range, note, slowerBy };
}
