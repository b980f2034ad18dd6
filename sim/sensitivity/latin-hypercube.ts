/**
 * Points of a Latin hypercube (McKay, Beckman and Conover 1979): every coordinate has one point in each of `points` equal
 * strata of [0, 1), in an order of its own. Fewer points than independent draws show the spread of a sum of effects.
 * @param dimensions coordinates of a point
 * @param random in [0, 1), as `seededRandom`
 */
export function latinHypercube(points: number, dimensions: number, random: () => number): number[][] {
  const columns = Array.from({ length: dimensions }, () => {
    const strata = shuffled(points, random);
    return strata.map((stratum) => (stratum + random()) / points);
  });
  return Array.from({ length: points }, (_, point) => columns.map((column) => column[point]));
}

/** 0 to n - 1 in random order (Fisher and Yates). */
function shuffled(n: number, random: () => number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let last = n - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
