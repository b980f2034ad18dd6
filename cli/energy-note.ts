/** Two digits, never an exponent. */
export const twoDigits = (value: number): string => String(Number(value.toPrecision(2)));

export const ENERGY_NOTE =
  '* above idle, with all its numbers at the low and at the high end: every one is assumed, see `hardware energy`';
