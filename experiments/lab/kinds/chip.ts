import { profileHash } from '../../../sim/hardware/load-profile.js';
import { checkChip } from '../open.js';
import type { ChipSetup } from '../setup.js';

/**
 * Files a chip depends on.
 * @throws UsageError for unknown names, or values of the wrong dimension
 */
export function chipInputs({ costModel, profile, stack, numbers }: ChipSetup): Record<string, string> {
  const parts = { costModel, profile, stack, numbers };
  const key = JSON.stringify(parts);
  if (!sound.has(key)) {
    checkChip(parts);
    sound.add(key);
  }
  return { [`profile ${profile}`]: profileHash(profile) };
}

/** Chips that were looked at already: the runs of a sweep have few, and reading one is most of what planning costs. */
const sound = new Set<string>();

/** `{a: 1}` as `{'prefix.a': 1}`. */
export function under(prefix: string, values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, value]));
}
