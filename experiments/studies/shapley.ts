/**
 * Shapley values of a game given by the worth of every subset (L. S. Shapley, 1953): each player's mean marginal
 * contribution over all orders of joining. They add up to worth(all) - worth(none).
 * @param worth by bit mask of the players, 2^players entries
 */
export function shapley(players: number, worth: readonly number[]): number[] {
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
  const all = factorial(players);
  return Array.from({ length: players }, (_, player) => {
    let sum = 0;
    for (let mask = 0; mask < 1 << players; mask++) {
      if (mask & (1 << player)) continue;
      const size = mask.toString(2).replaceAll('0', '').length;
      const weight = (factorial(size) * factorial(players - size - 1)) / all;
      sum += weight * (worth[mask | (1 << player)] - worth[mask]);
    }
    return sum;
  });
}
