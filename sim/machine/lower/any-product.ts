import type { Kernel, LowerContext } from '../kernel.js';
import { combined } from './combined.js';
import { htpProduct } from './htp/product-matrix.js';
import { matrixProduct, type Product } from './product.js';
import { matrixRows } from './tensors.js';
import { vectorProduct } from './vector-product.js';

/** y = x W^T where the stack computes so many rows: on the matrix unit, or on the vector threads. */
export function lowerProduct(product: Product, context: LowerContext): Kernel {
  const { numbers, kernelLoops, productTail } = context.stack;
  if (product.rows < numbers.matrixFromRows) return vectorProduct(product, context);
  const onMatrix = kernelLoops === 'htp' ? htpProduct : matrixProduct;
  const tail = product.rows % matrixRows(context);
  if (productTail !== 'vector' || tail === 0) return onMatrix(product, context);
  if (tail === product.rows) return vectorProduct(product, context);
  return combined([
    onMatrix({ ...product, rows: product.rows - tail }, context),
    vectorProduct({ ...product, rows: tail }, context),
  ]);
}
