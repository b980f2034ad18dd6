import { COMMON_NUMBERS } from './common-numbers.js';
import { groupPerOp, type SoftwareStack, stackNumbers } from './stack.js';

/**
 * llama.cpp on CPU cores: every operator on `cpuThreads` threads. Q4_0 products are dot products of one weight
 * row with one activation row, so each activation row decodes the weights again: the rate of a matrix product
 * is the rate of a matrix-vector product.
 */
export const cpuStack: SoftwareStack = {
  name: 'cpu',
  description: 'llama.cpp-like: all operators on CPU cores, dot-product kernels without reuse across rows',
  ...stackNumbers(COMMON_NUMBERS),
  weightReuse: 'none',
  weightDecode: 'vector',
  activationsIn: 'dram',
  weightStream: 'queue',
  dispatch: 'queue',
  sessions: () => 1,
  groups: (graph) => groupPerOp(graph, () => 'cpu'),
};
