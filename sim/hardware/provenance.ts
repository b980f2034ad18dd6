import type { Kind, Quantity } from './quantity.js';

type Dimension = Quantity['dimension'];

/** Units a range is shown in, largest first, with their size in the profile's base unit. */
const UNITS: Readonly<Record<Dimension, readonly (readonly [unit: string, size: number])[]>> = {
  time: [
    ['ms', 1],
    ['us', 1e-3],
    ['ns', 1e-6],
  ],
  bytes: [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
    ['B', 1],
  ],
  rate: [['GB/s', 1]],
  frequency: [['GHz', 1]],
  timePerByte: [
    ['ms/MB', 1],
    ['us/MB', 1e-3],
  ],
  power: [['W', 1]],
  energy: [['pJ', 1]],
  energyPerByte: [['pJ/B', 1]],
  count: [['', 1]],
  fraction: [['', 1]],
};

/** A value in the largest unit that leaves at least 1 of it, without the noise of unit conversion. */
function formatQuantity(value: number, dimension: Dimension): string {
  const units = UNITS[dimension];
  const [unit, size] = units.find(([, each]) => value >= each * (1 - 1e-9)) ?? units.at(-1) ?? ['', 1];
  return `${Number((value / size).toPrecision(9))} ${value === 0 ? units[0]?.[0] : unit}`.trim();
}

/** A number as a result records it: everything as text. */
export interface ProvenanceEntry {
  readonly name: string;
  readonly kind: Kind;
  readonly value: string;
  readonly source: string;
  /** Both ends, where the number may lie anywhere between them. */
  readonly range?: string;
  readonly note?: string;
}

/**
 * Numbers of a profile or a software stack as a result records them, in their order.
 * @param prefix put before every name, e.g. `llada.cpp.`
 */
export function provenanceEntries(
  provenance: Readonly<Record<string, Quantity>>,
  prefix = '',
): ProvenanceEntry[] {
  return Object.entries(provenance).map(([name, quantity]) => ({
    name: prefix + name,
    kind: quantity.kind,
    value: quantity.text,
    source: quantity.source,
    range: quantity.range?.map((end) => formatQuantity(end, quantity.dimension)).join(' .. '),
    note: quantity.note,
  }));
}

/** The numbers a reader must not take for measurements. */
export function fittedOrAssumed(entries: readonly ProvenanceEntry[]): ProvenanceEntry[] {
  return entries.filter((entry) => entry.kind === 'fitted' || entry.kind === 'assumed');
}
