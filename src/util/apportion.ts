/**
 * Parts rounded to so many decimals so that they add up to the rounded total: the largest remainders are rounded up.
 * Each is less than one unit of the last decimal from its value, if the parts add up to the total.
 */
export function apportioned(parts: readonly number[], total: number, decimals: number): number[] {
  const scale = 10 ** decimals;
  const floors = parts.map((part) => Math.floor(part * scale));
  const missing = Math.round(total * scale) - floors.reduce((sum, part) => sum + part, 0);
  const order = parts
    .map((part, at) => ({ at, rest: part * scale - floors[at] }))
    .sort((a, b) => b.rest - a.rest || a.at - b.at);
  const raised = new Set(order.slice(0, Math.max(0, missing)).map(({ at }) => at));
  return floors.map((part, at) => (part + (raised.has(at) ? 1 : 0)) / scale);
}
