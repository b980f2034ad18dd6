import type { DType } from '../../src/model/graph.js';
import type { StackNumbers } from './numbers.js';

/** Formats that are laid out in tiles of 4-bit weights, with a little more than their scales. */
const FOUR_BITS: ReadonlySet<DType> = new Set(['q4_0', 'q4_1', 'q4_k', 'iq4_nl', 'mxfp4']);

/** Bytes of weights in a stack's layout, as a share of what they take in a file. */
export function layoutShare(
  dtype: DType,
  { q4Layout, q8Layout }: Pick<StackNumbers, 'q4Layout' | 'q8Layout'>,
): number {
  if (FOUR_BITS.has(dtype)) return q4Layout;
  return dtype === 'q8_0' ? q8Layout : 1;
}
