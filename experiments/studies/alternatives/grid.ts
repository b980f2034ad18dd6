import type { Quant } from '../../../src/model/precision.js';
import { FULL_SYSTEM } from '../ladder/ladder.js';

/** Chips with a profile whose phones the paper has. */
export const SOCS = ['sm8650', 'sm8750', 'sm8850'] as const;

/** Ways to run a pass, as the table names them, with the software stack that prices them. */
export const STACKS = [
  { name: 'CPU', stack: 'cpu' },
  { name: 'CPU, repacked', stack: 'cpu-gemm' },
  { name: 'GPU', stack: 'gpu' },
  { name: "llada.cpp's NPU path", stack: 'llada.cpp' },
  { name: "llama.cpp's Hexagon path", stack: 'llama.cpp-hexagon' },
  { name: 'compiled graph', stack: 'qnn' },
] as const;
export type StackName = (typeof STACKS)[number]['name'];

/**
 * Weight formats: bits of a code, and of what a weight carries beside it. Q3_K and Q2_K have 3.4375 and 2.625 bits a weight
 * (ggml-common.h: 110 and 84 bytes for 256 weights). The two below four bits run in no stack here: their bytes are priced, their accuracy is not claimed.
 */
export const FORMATS = [
  { name: 'q8_0', quant: 'q8_0', code: 8, beside: 0.5, priced: false },
  { name: 'q4_0', quant: 'q4_0', code: 4, beside: 0.5, priced: false },
  { name: '3-bit', quant: 'q4_0', code: 3, beside: 0.4375, priced: true },
  { name: '2-bit', quant: 'q4_0', code: 2, beside: 0.625, priced: true },
] as const satisfies readonly {
  readonly name: string;
  readonly quant: Quant;
  readonly code: number;
  readonly beside: number;
  readonly priced: boolean;
}[];
export type Format = (typeof FORMATS)[number];

/** Decoding techniques, with the policy of each. */
export const TECHNIQUES = [
  { name: 'none', policy: 'llada' },
  { name: 'prefix KV', policy: 'block-kv' },
  { name: 'threshold 0.9', policy: 'threshold' },
  { name: 'full system', policy: FULL_SYSTEM },
  { name: 'exact speculation', policy: 'exact-speculation-threshold' },
] as const;
export type TechniqueName = (typeof TECHNIQUES)[number]['name'] | 'autoregressive';

/** Pruning: share of the FFN's rows that stays, or two weights of four. */
export const PRUNINGS = [
  { name: 'dense', ffn: 1, twoOfFour: false },
  { name: '2:4', ffn: 1, twoOfFour: true },
  { name: '25 % of FFN rows', ffn: 0.75, twoOfFour: false },
  { name: '50 % of FFN rows', ffn: 0.5, twoOfFour: false },
] as const;
export type Pruning = (typeof PRUNINGS)[number];

/** One cell of the table. */
export interface Cell {
  readonly soc: (typeof SOCS)[number];
  readonly stack: (typeof STACKS)[number];
  readonly format: Format;
  readonly technique: (typeof TECHNIQUES)[number];
  readonly pruning: Pruning;
}

/** @param quick one thing changed at a time from dense Q4_0, where weights are concerned */
export function cells(quick: boolean): Cell[] {
  return SOCS.flatMap((soc) =>
    STACKS.flatMap((stack) =>
      FORMATS.flatMap((format) =>
        PRUNINGS.filter(({ name }) => !quick || format.name === 'q4_0' || name === 'dense').flatMap(
          (pruning) => TECHNIQUES.map((technique) => ({ soc, stack, format, technique, pruning })),
        ),
      ),
    ),
  );
}

/** Bits of a weight as stored, indices of two of four (two bits each) included. */
export function bitsOf({ code, beside }: Pick<Format, 'code' | 'beside'>, twoOfFour: boolean): number {
  return (twoOfFour ? code / 2 + 1 : code) + beside;
}
