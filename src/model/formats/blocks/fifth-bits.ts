/** What Q5_0 and Q5_1 have in common: 32 codes as four bytes of fifth bits and 16 of nibbles. */
const HALF = 16;

export function splitFive(bytes: Uint8Array, at: number, codes: Uint8Array, to: number): void {
  const nibbles = at + 4;
  for (let j = 0; j < HALF; j++) {
    const pair = bytes[nibbles + j];
    codes[to + j] = (pair & 15) | (((bytes[at + (j >>> 3)] >>> (j & 7)) & 1) << 4);
    codes[to + j + HALF] = (pair >>> 4) | (((bytes[at + 2 + (j >>> 3)] >>> (j & 7)) & 1) << 4);
  }
}

/** @param codeOf code of element j of the block */
export function joinFive(bytes: Uint8Array, at: number, codeOf: (j: number) => number): void {
  for (let j = 0; j < HALF; j++) {
    const [low, high] = [codeOf(j), codeOf(j + HALF)];
    bytes[at + 4 + j] = (low & 15) | ((high & 15) << 4);
    bytes[at + (j >>> 3)] |= (low >>> 4) << (j & 7);
    bytes[at + 2 + (j >>> 3)] |= (high >>> 4) << (j & 7);
  }
}
