/**
 * Moves positions along an axis apart until neighbours are at least `gap` away, as little as one pass allows, all
 * between `from` and `to` if there is room.
 */
export function spread(
  positions: readonly number[],
  gap: number,
  [from, to]: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): number[] {
  const order = positions.map((_, i) => i).sort((a, b) => positions[a] - positions[b] || a - b);
  const placed = [...positions];
  let least = from;
  for (const i of order) {
    placed[i] = Math.max(placed[i], least);
    least = placed[i] + gap;
  }
  let most = to;
  for (const i of [...order].reverse()) {
    placed[i] = Math.min(placed[i], most);
    most = placed[i] - gap;
  }
  return placed;
}
