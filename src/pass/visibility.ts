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
 * Which keys each row of a pass sees, [rows, reads + rows] of ones and zeros: what the pass reads, but for what a shadow is blind to; the rows
 * of the groups that its group names; and of its own group all, only itself, those at earlier or equal positions, or those before it in the
 * list. Undefined when nothing is hidden.
 */
export function passVisibility(pass: Pass): Float32Array | undefined {
  if (!hidesRows(pass)) return undefined;
  const positions = pass.rows.map((row) => row.position);
  const { reads } = pass;
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
