import type { Op, OpGraph } from '../../../src/model/graph.js';
import type { Kernel, LowerContext } from '../kernel.js';
import { combined } from './combined.js';
import { rowsKernel } from './htp/rows.js';
import type { RowOperator } from './row-operator.js';
import { type Streamed, streamed } from './streamed.js';
import { inputBytesEach, outputBytesEach } from './tensors.js';

/** An operator of the graph that handles each row by itself, as a stack's kernels see it. */
export interface RowOp {
  /** Operators of the stack, one after the other; all but the first have a row that all rows share as an operand. */
  readonly operators: readonly RowOperator[];
  readonly rows: number;
  readonly width: number;
  /** Rows of a position, where the operator works on heads. */
  readonly heads?: number;
  /** What it asks for where its elements are spread over the threads whatever row they belong to. */
  readonly spread: Streamed;
}

/** Work of an element-wise operator: row by row in the kernels of llama.cpp, spread over all threads elsewhere. */
export function rowOp(op: Op, graph: OpGraph, context: LowerContext, asked: RowOp): Kernel {
  const { operators, rows, width, heads, spread } = asked;
  if (context.stack.kernelLoops === 'stages') return streamed(op, graph, context, spread);
  const inputBytes = inputBytesEach(graph, context);
  const outputBytes = outputBytesEach(op, graph, context);
  return combined(
    operators.map((operator, at) =>
      rowsKernel({ operator, rows, width, heads, broadcast: at > 0, inputBytes, outputBytes }, context),
    ),
  );
}
