import { z } from 'zod';
import { WEIGHT_DTYPES } from '../../src/model/formats/blocks/index.js';
import type { Op, OpGraph } from '../../src/model/graph.js';

/** What a backend refuses runs on the CPU, whatever the placement says. */
export const supportSchema = z.strictObject({
  weights: z
    .array(z.enum(WEIGHT_DTYPES as [string, ...string[]]))
    .describe('formats of the weights of products that run on the NPU'),
  maxWeightRows: z
    .int()
    .nullable()
    .describe('rows of a weight that is multiplied on the NPU, at most; null is any number'),
  attention: z.boolean().describe('whether attention runs on the NPU'),
});

export type Support = z.infer<typeof supportSchema>;

/** Whether a backend takes an operator. */
export function isSupported(op: Op, graph: OpGraph, support: Support): boolean {
  if (op.kind === 'attention') return support.attention;
  if (op.kind !== 'matmul' && op.kind !== 'moe') return true;
  return op.weights.every((id) => {
    const tensor = graph.tensors.get(id);
    if (tensor === undefined || tensor.shape.length === 1) return true;
    // Experts lie one behind the other: the rows of one count.
    const rows = tensor.shape[tensor.shape.length - 2];
    return (
      support.weights.includes(tensor.dtype) &&
      (support.maxWeightRows === null || rows <= support.maxWeightRows)
    );
  });
}
