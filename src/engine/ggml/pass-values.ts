import type { Pass } from '../../pass/pass.js';
import { passVisibility } from '../../pass/visibility.js';

/** What a graph is given for one pass. */
export interface PassValues {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly logitsRows: Int32Array;
  /** Slots of the arena that the rows' K and V go to. */
  readonly slots: BigInt64Array;
  /** [rows, keys] in f16: 0 where a row sees a key, minus infinity where it does not. */
  readonly mask: Uint16Array;
}

export type InputName = keyof PassValues;

const HIDDEN = 0xfc00;

/** @param keys slots that attention sees; those behind the pass's own are hidden from every row */
export function passValues(pass: Pass, firstSlot: number, keys: number): PassValues {
  const rows = pass.rows.length;
  return {
    ids: Int32Array.from(pass.rows, (row) => row.feed),
    positions: Int32Array.from(pass.rows, (row) => row.position),
    logitsRows: Int32Array.from(pass.logits),
    slots: BigInt64Array.from({ length: rows }, (_, row) => BigInt(firstSlot + row)),
    mask: maskOf(pass, keys),
  };
}

function maskOf(pass: Pass, keys: number): Uint16Array {
  const rows = pass.rows.length;
  const used = pass.reads.length + rows;
  const mask = new Uint16Array(rows * keys);
  const visibility = passVisibility(pass);
  for (let row = 0; row < rows; row++) {
    mask.fill(HIDDEN, row * keys + used, (row + 1) * keys);
    if (visibility === undefined) continue;
    for (let key = 0; key < used; key++) {
      if (visibility[row * used + key] === 0) mask[row * keys + key] = HIDDEN;
    }
  }
  return mask;
}
