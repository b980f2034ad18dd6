import type { RowOperator } from '../row-operator.js';

/** What a row of an element-wise operator costs a thread, in vector instructions, loads and stores among them. */
export interface RowCost {
  /** Rows that it reads for each that it writes. */
  readonly inputs: number;
  /** For each register of 32 F32 results. */
  readonly perVector: number;
  /** For each row, whatever its width. */
  readonly perRow: number;
  /** A row that all rows share and every thread fetches. @defaultValue false */
  readonly shared?: boolean;
  /** Threads read and write DRAM themselves, through L2. @defaultValue false */
  readonly direct?: boolean;
  /** A row becomes one number. @defaultValue false */
  readonly reduces?: boolean;
  /** Every row is a transfer of its own. @defaultValue false */
  readonly apart?: boolean;
  /** F16 operands meet 64 at a time, as they are (`hvx_add_f16_aaa`, llama.cpp#20139); all others are brought to F32. */
  readonly halves?: boolean;
}

/**
 * `hvx_vec_exp_f32` over 32 lanes: clamp 4, range 2, floor 20, truncate 12, remainder 5, square 2, Taylor series 20,
 * exponent 6 (hvx-exp.h, hvx-floor.h of llama.cpp's Hexagon backend, counted).
 */
export const EXP_F32 = 71;
/** `hvx_vec_inverse_f32`: three Newton steps (hvx-inverse.h). */
const INVERSE_F32 = 17;
/** `hvx_vec_rsqrt_f32`: three Newton steps (hvx-sqrt.h). */
const RSQRT_F32 = 26;
/** Sum or maximum over the lanes of a register: five rotations. */
export const REDUCE = 10;
/** `hvx_vec_fast_sigmoid_f32_guard` with its load and store (hvx-sigmoid.h). */
const SIGMOID_F32 = 58;
/** Pushing, waiting for and popping the transfers of a block, and the loop around it: scalar, counted roughly. */
const BOOKKEEPING = 40;

/**
 * Counted in the source of llama.cpp's Hexagon backend for V79, which adds and multiplies F32 in one instruction:
 * unary-ops.c (norms), binary-ops.c, act-ops.c, rope-ops.c, set-rows-ops.c, softmax-ops.c.
 */
export const ROW_COSTS: Readonly<Record<RowOperator, RowCost>> = {
  // Squares: load, multiply, add. Scaling: load, multiply, convert, store. A row: sum, 1/n, mean, 1/sqrt.
  RMS_NORM: { inputs: 1, perVector: 7, perRow: REDUCE + INVERSE_F32 + 5 + RSQRT_F32 + BOOKKEEPING },
  'RMS_NORM+MUL': {
    inputs: 1,
    perVector: 10,
    perRow: REDUCE + INVERSE_F32 + 5 + RSQRT_F32 + BOOKKEEPING,
    shared: true,
  },
  NORM: { inputs: 1, perVector: 12, perRow: 2 * REDUCE + INVERSE_F32 + 12 + RSQRT_F32 + BOOKKEEPING },
  ADD: { inputs: 2, perVector: 4, perRow: BOOKKEEPING, halves: true },
  MUL: { inputs: 2, perVector: 4, perRow: BOOKKEEPING, halves: true },
  SCALE: { inputs: 1, perVector: 4, perRow: BOOKKEEPING },
  // Two products of three operands: three loads, two multiplications, two conversions, a store.
  SWIGLU: { inputs: 2, perVector: SIGMOID_F32 + 8, perRow: BOOKKEEPING },
  GEGLU: { inputs: 2, perVector: SIGMOID_F32 + 12, perRow: BOOKKEEPING },
  GELU: { inputs: 1, perVector: SIGMOID_F32 + 9, perRow: BOOKKEEPING },
  SILU: { inputs: 1, perVector: SIGMOID_F32 + 5, perRow: BOOKKEEPING },
  // Two registers: four loads, deal, four products, two sums, two conversions, two stores. A row: where it lies.
  ROPE: { inputs: 1, perVector: 7.5, perRow: 2 * BOOKKEEPING, apart: true },
  // Scale, maximum, exponential and sum, division.
  SOFT_MAX: {
    inputs: 1,
    perVector: 4 + 2 + EXP_F32 + 6 + 4,
    perRow: 2 * REDUCE + INVERSE_F32 + BOOKKEEPING,
    direct: true,
  },
  // Two loads, conversion to F16 (5), a store for each 64 elements.
  SET_ROWS: { inputs: 1, perVector: 4, perRow: BOOKKEEPING, direct: true },
  GET_ROWS: { inputs: 1, perVector: 2, perRow: BOOKKEEPING, direct: true },
  CPY: { inputs: 1, perVector: 2, perRow: BOOKKEEPING },
  SUB: { inputs: 2, perVector: 4, perRow: BOOKKEEPING, halves: true },
  // The reciprocal of the divisor, then a product.
  DIV: { inputs: 2, perVector: 4 + INVERSE_F32, perRow: BOOKKEEPING, halves: true },
  SQR: { inputs: 1, perVector: 4, perRow: BOOKKEEPING },
  // x times 1 / sqrt(x).
  SQRT: { inputs: 1, perVector: 4 + RSQRT_F32, perRow: BOOKKEEPING },
  SIGMOID: { inputs: 1, perVector: SIGMOID_F32, perRow: BOOKKEEPING },
  // 2 sigmoid(2 x) - 1.
  TANH: { inputs: 1, perVector: SIGMOID_F32 + 4, perRow: BOOKKEEPING },
  EXP: { inputs: 1, perVector: EXP_F32 + 2, perRow: BOOKKEEPING },
  NEG: { inputs: 1, perVector: 3, perRow: BOOKKEEPING },
  CLAMP: { inputs: 1, perVector: 4, perRow: BOOKKEEPING },
  // As RMS_NORM, without the mean.
  L2_NORM: { inputs: 1, perVector: 7, perRow: REDUCE + RSQRT_F32 + BOOKKEEPING },
  SUM_ROWS: { inputs: 1, perVector: 2, perRow: REDUCE + BOOKKEEPING, reduces: true },
  // Both halves are clamped, the gate is scaled before its sigmoid, and one is added.
  SWIGLU_OAI: { inputs: 2, perVector: SIGMOID_F32 + 14, perRow: BOOKKEEPING },
  FILL: { inputs: 0, perVector: 1, perRow: BOOKKEEPING },
  REPEAT: { inputs: 1, perVector: 2, perRow: BOOKKEEPING },
  PAD: { inputs: 1, perVector: 2, perRow: BOOKKEEPING },
};

/** Sine and cosine of a position's angles, once for a thread and position, for each 32 angles (hvx-sin-cos.h). */
export const ROPE_ANGLES = 100;
