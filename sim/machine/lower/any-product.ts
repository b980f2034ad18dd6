import type { Kernel, LowerContext } from '../kernel.js';
import { htpProduct } from './htp/product-matrix.js';
import { matrixProduct, type Product } from './product.js';
import { vectorProduct } from './vector-product.js';

/** y = x W^T where the stack computes so many rows: on the matrix unit, or on the vector threads. */
export function lowerProduct(product: Product, context: LowerContext): Kernel {
  const { numbers, kernelLoops } = context.stack;
  if (product.rows < numbers.matrixFromRows) return vectorProduct(product, context);
  return kernelLoops === 'htp' ? htpProduct(product, context) : matrixProduct(product, context);
}
