import type { Quantity } from '../../sim/hardware/quantity.js';
import type { ProvenanceEntry } from './types.js';

/** Base units in which a profile keeps its ranges. */
const BASE_UNITS = {
  time: 'ms',
  bytes: 'B',
  rate: 'GB/s',
  frequency: 'GHz',
  timePerByte: 'ms/MB',
  power: 'W',
  count: '',
  fraction: '',
} as const;

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
    ...(quantity.range === undefined
      ? {}
      : { range: `${quantity.range.map(plain).join(' .. ')} ${BASE_UNITS[quantity.dimension]}`.trim() }),
    ...(quantity.note === undefined ? {} : { note: quantity.note }),
  }));
}

/** The numbers a reader must not take for measurements. */
export function fittedOrAssumed(entries: readonly ProvenanceEntry[]): ProvenanceEntry[] {
  return entries.filter((entry) => entry.kind === 'fitted' || entry.kind === 'assumed');
}

/** Six significant digits, without the rounding noise of unit conversion and without exponents. */
function plain(value: number): string {
  return String(Number(value.toPrecision(6)));
}
