/** Operators that handle each row by itself, in ggml's words. */
export const ROW_OPERATORS = [
  'RMS_NORM',
  'RMS_NORM+MUL',
  'NORM',
  'ADD',
  'MUL',
  'SCALE',
  'SWIGLU',
  'GEGLU',
  'GELU',
  'SILU',
  'ROPE',
  'SOFT_MAX',
  'SET_ROWS',
  'GET_ROWS',
  'CPY',
  'SUB',
  'DIV',
  'SQR',
  'SQRT',
  'SIGMOID',
  'TANH',
  'EXP',
  'NEG',
  'CLAMP',
  'L2_NORM',
  'SUM_ROWS',
  'SWIGLU_OAI',
  'FILL',
  'REPEAT',
  'PAD',
] as const;
export type RowOperator = (typeof ROW_OPERATORS)[number];

/** An operator on rows, whatever graph it belongs to. */
export interface RowWork {
  readonly operator: RowOperator;
  readonly rows: number;
  /** Elements of a row of the result. */
  readonly width: number;
  /** Rows of a position, where the operator works on heads. @defaultValue 1 */
  readonly heads?: number;
  /** One of the operands is a row that all rows share. @defaultValue false */
  readonly broadcast?: boolean;
  /** DRAM bytes of an element read and written. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** DRAM bytes of a mask, all of its rows together. @defaultValue 0 */
  readonly maskBytes?: number;
}
