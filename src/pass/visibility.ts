import { groupStarts, groupsOf } from './groups.js';
import type { Pass, RowVisibility } from './pass.js';
import { hidesRows } from './shape.js';

/** Whether a row does not see another of its group. */
function hiddenFrom(
  visibility: RowVisibility,
  positions: readonly number[],
  row: number,
  other: number,
): boolean {
  switch (visibility) {
    case 'all':
    case 'shadow':
      return false;
    case 'self':
      return other !== row;
    case 'causal':
      return positions[other] > positions[row];
    case 'ordered':
      return other > row;
  }
}

/**
 * Which keys each row of a pass sees, [rows, prefixLength + rows] of ones and zeros: always the whole prefix, and
 * of the pass's own rows all, only itself, those at earlier or equal positions, or those before it in the list. Undefined when nothing is hidden.
 * @param positions absolute position of every row
 */
export function visibilityMatrix(
  visibility: Exclude<RowVisibility, 'shadow'>,
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
      if (!hiddenFrom(visibility, positions, row, other)) matrix[row * keys + prefixLength + other] = 1;
    }
  }
  return matrix;
}

/** `visibilityMatrix` of a pass, groups included. */
export function passVisibility(pass: Pass): Float32Array | undefined {
  if (!hidesRows(pass)) return undefined;
  const positions = pass.rows.map((row) => row.position);
  const { visibility, reads } = pass;
  if (typeof visibility === 'string' && visibility !== 'shadow') {
    return visibilityMatrix(visibility, positions, reads.length);
  }
  const groups = groupsOf(pass);
  const starts = groupStarts(groups);
  const rows = positions.length;
  const keys = reads.length + rows;
  const matrix = new Float32Array(rows * keys);
  groups.forEach((group, index) => {
    const first = starts[index];
    for (let row = first; row < first + group.rows; row++) {
      const shadows = (position: number): boolean =>
        group.visibility === 'shadow' && position === positions[row];
      const base = row * keys;
      reads.forEach(({ position }, key) => {
        if (!shadows(position)) matrix[base + key] = 1;
      });
      for (const other of group.sees) {
        const from = starts[other];
        for (let key = from; key < from + groups[other].rows; key++) {
          if (!shadows(positions[key])) matrix[base + reads.length + key] = 1;
        }
      }
      for (let key = first; key < first + group.rows; key++) {
        if (!hiddenFrom(group.visibility, positions, row, key)) matrix[base + reads.length + key] = 1;
      }
    }
  });
  return matrix;
}
