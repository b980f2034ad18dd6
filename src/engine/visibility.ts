import type { Visibility } from '../decode/types.js';

/**
 * Which keys each row of a pass sees, [rows, prefixLength + rows] of ones and zeros: always the whole prefix, and
 * of the pass's own rows all, only itself, or those at earlier or equal positions. Undefined when nothing is hidden.
 * @param positions absolute position of every row
 */
export function visibilityMatrix(
  visibility: Visibility,
  positions: readonly number[],
  prefixLength: number,
): Float32Array | undefined {
  if (visibility === 'all') return undefined;
  const rows = positions.length;
  const keys = prefixLength + rows;
  const matrix = new Float32Array(rows * keys);
  for (let row = 0; row < rows; row++) {
    matrix.fill(1, row * keys, row * keys + prefixLength);
    for (let other = 0; other < rows; other++) {
      const seen = visibility === 'self' ? other === row : positions[other]! <= positions[row]!;
      if (seen) matrix[row * keys + prefixLength + other] = 1;
    }
  }
  return matrix;
}
