import type { HardwareProfile } from '../../../sim/hardware/schema.js';

/** `SM8750` of "Snapdragon 8 Elite (SM8750)", as tables name a chip; the whole name where it has no number. */
export function socNumber({ soc }: Pick<HardwareProfile, 'soc'>): string {
  return /\(([^()]+)\)\s*$/.exec(soc)?.[1] ?? soc;
}
