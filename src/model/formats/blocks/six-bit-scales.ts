import type { Parts } from './packed.js';

/** What Q4_K and Q5_K have in common: 8 scales and 8 minima of 6 bits in 12 bytes. */
export function splitSixBits(
  bytes: Uint8Array,
  at: number,
  block: number,
  { groupScales, groupMins }: Parts,
): void {
  for (let g = 0; g < 8; g++) {
    const to = block * 8 + g;
    if (g < 4) {
      groupScales[to] = bytes[at + g] & 63;
      groupMins[to] = bytes[at + g + 4] & 63;
    } else {
      groupScales[to] = (bytes[at + g + 4] & 15) | ((bytes[at + g - 4] >>> 6) << 4);
      groupMins[to] = (bytes[at + g + 4] >>> 4) | ((bytes[at + g] >>> 6) << 4);
    }
  }
}

/** @param scales and minima, 8 each, below 64 */
export function joinSixBits(
  bytes: Uint8Array,
  at: number,
  scales: ArrayLike<number>,
  mins: ArrayLike<number>,
): void {
  for (let g = 0; g < 4; g++) {
    const [upper, upperMin] = [scales[g + 4], mins[g + 4]];
    bytes[at + g] = scales[g] | ((upper >>> 4) << 6);
    bytes[at + g + 4] = mins[g] | ((upperMin >>> 4) << 6);
    bytes[at + g + 8] = (upper & 15) | ((upperMin & 15) << 4);
  }
}
