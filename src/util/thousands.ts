/** A whole number with commas. `toLocaleString` does the same and loads its tables first, for some 30 ms. */
export function thousands(n: number): string {
  return String(n).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
