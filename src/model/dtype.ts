import { UsageError } from '../errors.js';
import type { DType } from './graph.js';

/** Elements and bytes of one storage block. Q4_0 and Q8_0 as in ggml: an f16 scale and 32 packed values. */
const BLOCKS: Readonly<Record<DType, { readonly elements: number; readonly bytes: number }>> = {
  f32: { elements: 1, bytes: 4 },
  f16: { elements: 1, bytes: 2 },
  bf16: { elements: 1, bytes: 2 },
  i32: { elements: 1, bytes: 4 },
  q8_0: { elements: 32, bytes: 34 },
  q4_0: { elements: 32, bytes: 18 },
};

export function blockOf(dtype: DType): { readonly elements: number; readonly bytes: number } {
  return BLOCKS[dtype];
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementsOf(shape: readonly number[]): number {
  let product = 1;
  for (const extent of shape) product *= extent;
  return product;
}

/**
 * Exact storage size in bytes of a row-major tensor. Blocks run along the last dimension.
 * @throws UsageError when the row length is not a multiple of the block length
 */
export function bytesOf(shape: readonly number[], dtype: DType): number {
  const block = BLOCKS[dtype];
  const row = shape.at(-1) ?? 1;
  if (row % block.elements !== 0) {
    throw new UsageError(
      `${dtype} needs rows of a multiple of ${block.elements} elements, got [${shape.join(', ')}]`,
    );
  }
  return (elementsOf(shape) / block.elements) * block.bytes;
}
