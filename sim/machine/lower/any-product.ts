import type { Kernel, LowerContext } from '../kernel.js';
import { matrixProduct, type Product } from './product.js';
import { vectorProduct } from './vector-product.js';

/** y = x W^T where the stack computes so many rows: on the matrix unit, or on the vector threads. */
export function lowerProduct(product: Product, context: LowerContext): Kernel {
  const onVector = product.rows < context.stack.numbers.matrixFromRows;
  return onVector ? vectorProduct(product, context) : matrixProduct(product, context);
}
