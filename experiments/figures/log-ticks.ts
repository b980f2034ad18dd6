/** Powers of ten, and 2 and 5 between them where there are few. */
export function logTicks([low = 1, high = 10]: readonly number[]): number[] {
  const first = Math.floor(Math.log10(low));
  const decades = Math.ceil(Math.log10(high)) - first;
  const steps = decades > 3 ? [1] : [1, 2, 5];
  return Array.from({ length: decades + 1 }, (_, i) => steps.map((step) => step * 10 ** (first + i)))
    .flat()
    .filter((tick) => tick >= low && tick <= high);
}
