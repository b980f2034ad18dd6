import { UsageError } from '../errors.js';
import { CODECS } from './formats/blocks/index.js';
import type { DType } from './graph.js';

interface Block {
  readonly elements: number;
  readonly bytes: number;
}

/** Elements and bytes of one storage block. */
const BLOCKS: Readonly<Record<DType, Block>> = { ...CODECS, i32: { elements: 1, bytes: 4 } };

export function blockOf(dtype: DType): Block {
  return BLOCKS[dtype];
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementsOf(shape: readonly number[]): number {
  let product = 1;
  for (let at = 0; at < shape.length; at++) product *= shape[at];
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
