import { unknownName } from '../../src/util/nearest.js';
import { stackByName, stackNames } from '../stacks/registry.js';
import { loadProfile, profileNames } from './load-profile.js';
import { type ProvenanceEntry, provenanceEntries } from './provenance.js';
import type { Quantity } from './quantity.js';
import type { HardwareProfile } from './schema.js';

type Side = Pick<ProvenanceEntry, 'value' | 'kind' | 'source'>;

/** A number that two profiles have and do not agree on. */
export interface NumberDifference {
  readonly name: string;
  readonly a: Side;
  readonly b: Side;
  /** b over a; null where a is 0. */
  readonly ratio: number | null;
}

export function profileDifferences(a: HardwareProfile, b: HardwareProfile): NumberDifference[] {
  const side = ({ text, kind, source }: Quantity): Side => ({ value: text, kind, source });
  return Object.keys(a.provenance).flatMap((name) => {
    const [x, y] = [a.provenance[name], b.provenance[name]];
    if (x === undefined || y === undefined || x.value === y.value) return [];
    return [{ name, a: side(x), b: side(y), ratio: x.value === 0 ? null : y.value / x.value }];
  });
}

/**
 * A number of profiles or stacks in every one that has it.
 * @throws UsageError with the nearest names
 */
export function numberEverywhere(name: string): (ProvenanceEntry & { readonly place: string })[] {
  const tables: { place: string; provenance: Readonly<Record<string, Quantity>> }[] = [
    ...profileNames().map((place) => ({ place, provenance: loadProfile(place).provenance })),
    ...stackNames().map((place) => ({ place, provenance: { ...stackByName(place).provenance } })),
  ];
  const found = tables.flatMap(({ place, provenance }) =>
    provenanceEntries(provenance)
      .filter((entry) => entry.name === name)
      .map((entry) => ({ place, ...entry })),
  );
  if (found.length > 0) return found;
  const known = new Set(tables.flatMap(({ provenance }) => Object.keys(provenance)));
  throw unknownName('number', name, [...known]);
}
