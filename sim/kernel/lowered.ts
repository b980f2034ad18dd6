import { blockOf } from '../../src/model/dtype.js';
import type { Kernel, LowerContext } from '../machine/kernel.js';
import { lowerProduct } from '../machine/lower/any-product.js';
import { attentionKernel } from '../machine/lower/attention.js';
import { ROW_COSTS } from '../machine/lower/htp/row-costs.js';
import { rowsKernel } from '../machine/lower/htp/rows.js';
import { concatKernel, convKernel } from '../machine/lower/htp/short-conv.js';
import type { RowOperator } from '../machine/lower/row-operator.js';
import { streamedKernel } from '../machine/lower/streamed.js';
import { F16_BYTES } from '../machine/lower/tensors.js';
import { layoutShare } from '../stacks/layout.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { elementBytes } from './elements.js';
import type { KernelSpec, RowsSpec } from './spec.js';

/** An operator by itself. */
export type SingleSpec = Exclude<KernelSpec, { kind: 'layer-products' }>;

/** Bytes of an activation between operators of a stack. */
export function activationElement({ activations }: SoftwareStack): number {
  return activations === 'f32' ? 2 * F16_BYTES : F16_BYTES;
}

/**
 * Work of one operator on the units of the NPU.
 * @throws UsageError when it does not fit the on-chip memory
 */
export function loweredKernel(spec: SingleSpec, context: LowerContext): Kernel {
  const each = activationElement(context.stack);
  switch (spec.kind) {
    case 'product': {
      // Fused products share their input, and their outputs are as one.
      const out = spec.outWidths.reduce((sum, width) => sum + width, 0);
      const input = spec.input === undefined ? undefined : elementBytes(spec.input);
      return product(spec.rows, spec.inWidth, out, spec.weights, context, spec.adds, input);
    }
    case 'routed-product': {
      const { rows, inWidth, outWidth, weights } = spec;
      const reached = reachedExperts(spec);
      const rowsEach = Math.max(1, Math.ceil((rows * spec.expertsPerToken) / reached));
      const one = product(rowsEach, inWidth, outWidth, weights, context);
      return {
        ...one,
        repeats: reached,
        dmaBytes: reached * one.dmaBytes,
        l2Bytes: reached * one.l2Bytes,
        matrixMacs: reached * one.matrixMacs,
      };
    }
    case 'attention': {
      const bytes = { inputBytes: each, outputBytes: each, kvBytes: F16_BYTES };
      return attentionKernel({ ...spec, ...bytes, owner: 'attention', writesCache: false }, context);
    }
    case 'conv':
    case 'concat': {
      if (context.stack.kernelLoops === 'htp')
        return (spec.kind === 'conv' ? convKernel : concatKernel)(spec, context);
      const elements = spec.rows * spec.channels;
      const opsEach = (spec.kind === 'conv' ? spec.taps : 1) * context.stack.numbers.addOps;
      const read = (elements + (spec.taps - 1) * spec.channels) * each;
      return streamedKernel({ opsEach, read, written: read, elements, macs: 0 }, context);
    }
    case 'rows':
      return context.stack.kernelLoops === 'htp'
        ? rowsKernel({ ...spec, ...rowBytes(spec, each) }, context)
        : spreadKernel(spec, rowBytes(spec, each), context);
  }
}

/** Bytes of operands and results that host and NPU share around a call. @param each bytes of an element */
export function activationBytes(spec: SingleSpec, each: number): number {
  switch (spec.kind) {
    case 'product':
      return (
        spec.rows *
        (spec.inWidth * (spec.input === undefined ? each : elementBytes(spec.input)) +
          spec.outWidths.reduce((sum, width) => sum + width, 0) * each)
      );
    case 'routed-product':
      return spec.rows * (spec.inWidth + spec.expertsPerToken * spec.outWidth) * each;
    case 'attention':
      return 2 * spec.rows * spec.heads * spec.headDim * each;
    case 'conv':
      return spec.channels * (2 * spec.rows + 2 * spec.taps - 1) * each;
    case 'concat':
      return 2 * spec.channels * (spec.rows + spec.taps - 1) * each;
    case 'rows':
      return movedBytes(spec, rowBytes(spec, each));
  }
}

/** Bytes of an element that a row operator reads and writes, and of all of its mask. */
export interface RowBytes {
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly maskBytes: number;
}

/** @param each bytes of an activation, where the name of the operator says no format. A cache is written in F16 */
export function rowBytes({ operator, width, input, result, mask }: RowsSpec, each: number): RowBytes {
  const unsaid = operator === 'SET_ROWS' ? F16_BYTES : each;
  return {
    inputBytes: input === undefined ? each : elementBytes(input),
    outputBytes: result === undefined ? unsaid : elementBytes(result),
    maskBytes: mask === undefined ? 0 : mask.rows * width * elementBytes(mask.format),
  };
}

/** Bytes of operands and result of a row operator. */
export function movedBytes({ operator, rows, width }: RowsSpec, bytes: RowBytes): number {
  const { inputs, reduces = false } = ROW_COSTS[operator];
  const { inputBytes, outputBytes, maskBytes } = bytes;
  return rows * (inputs * width * inputBytes + (reduces ? 1 : width) * outputBytes) + maskBytes;
}

/** Different experts that the rows reach under uniform routing, in expectation. */
export function reachedExperts({
  rows,
  experts,
  expertsPerToken,
}: Extract<SingleSpec, { kind: 'routed-product' }>): number {
  return Math.ceil(experts * (1 - (1 - expertsPerToken / experts) ** rows));
}

/** A row operator of a stack that spreads elements over its threads. */
function spreadKernel(
  { rows, width, operator }: RowsSpec,
  { inputBytes, outputBytes, maskBytes }: RowBytes,
  context: LowerContext,
): Kernel {
  const elements = rows * width;
  const { inputs, reduces = false } = ROW_COSTS[operator];
  const opsEach = SPREAD_OPS[operator](context.stack.numbers);
  const read = inputs * elements * inputBytes + maskBytes;
  const written = (reduces ? rows : elements) * outputBytes;
  return streamedKernel({ opsEach, read, written, elements, macs: 0 }, context);
}

function product(
  rows: number,
  inWidth: number,
  outWidth: number,
  weights: Extract<SingleSpec, { kind: 'product' }>['weights'],
  context: LowerContext,
  adds = false,
  input?: number,
): Kernel {
  const { stack } = context;
  const { bytes, elements } = blockOf(weights);
  const layout = layoutShare(weights, stack.numbers);
  const each = stack.activationsIn === 'tcm' ? 0 : stack.activations === 'f32' ? 4 : 2;
  return lowerProduct(
    {
      owner: 'product',
      rows,
      inWidth,
      outWidth,
      bytesPerWeight: (bytes / elements) * layout,
      packed: weights !== 'f16' && stack.weightDecode === 'vector',
      inputBytes: stack.activationsIn === 'tcm' ? 0 : (input ?? each),
      // What is added is read on the way out.
      outputBytes: adds ? 2 * each : each,
    },
    context,
  );
}

type Numbers = SoftwareStack['numbers'];

/** Vector instructions per register of result, where elements are spread over all threads. */
const SPREAD_OPS: Readonly<Record<RowOperator, (numbers: Numbers) => number>> = {
  RMS_NORM: ({ normOps }) => normOps,
  'RMS_NORM+MUL': ({ normOps, addOps }) => normOps + addOps,
  NORM: ({ normOps, addOps }) => normOps + 2 * addOps,
  ADD: ({ addOps }) => addOps,
  MUL: ({ addOps }) => addOps,
  SCALE: ({ addOps }) => addOps,
  SWIGLU: ({ swigluOps }) => swigluOps,
  GEGLU: ({ swigluOps }) => swigluOps,
  GELU: ({ swigluOps }) => swigluOps,
  SILU: ({ swigluOps }) => swigluOps,
  ROPE: ({ ropeOps }) => ropeOps,
  SOFT_MAX: ({ swigluOps }) => swigluOps,
  SET_ROWS: ({ addOps }) => addOps,
  GET_ROWS: ({ addOps }) => addOps,
  CPY: ({ addOps }) => addOps,
  SUB: ({ addOps }) => addOps,
  DIV: ({ addOps }) => addOps,
  SQR: ({ addOps }) => addOps,
  SQRT: ({ normOps }) => normOps,
  SIGMOID: ({ swigluOps }) => swigluOps,
  TANH: ({ swigluOps }) => swigluOps,
  EXP: ({ swigluOps }) => swigluOps,
  NEG: ({ addOps }) => addOps,
  CLAMP: ({ addOps }) => addOps,
  L2_NORM: ({ normOps }) => normOps,
  SUM_ROWS: ({ normOps }) => normOps,
  SWIGLU_OAI: ({ swigluOps }) => swigluOps,
  FILL: ({ addOps }) => addOps,
  REPEAT: ({ addOps }) => addOps,
  PAD: ({ addOps }) => addOps,
};
