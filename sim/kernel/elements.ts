import { UsageError } from '../../src/errors.js';
import { blockOf } from '../../src/model/dtype.js';
import { WEIGHT_DTYPES, type WeightDType } from '../../src/model/formats/blocks/index.js';
import type { RowOperator } from '../machine/lower/row-operator.js';
import { listOf } from './dumped.js';
import type { Said } from './said.js';
import type { RowMask, RowsSpec } from './spec.js';

/** Operators that move elements as they are stored; all others compute, and take whole numbers of F32 or F16 only. */
const MOVERS: readonly RowOperator[] = ['GET_ROWS', 'SET_ROWS', 'CPY'];

const FORMAT = String.raw`b?f16|b?f32|i32|i?q\d_\w+|mxfp4`;

/**
 * Formats of elements that the name of a row operator says: `CPY f32->f16`, `type_src=f16`, `ADD f16 n4096`, and in the words of
 * test-backend-ops `type=f16`, which is the table of GET_ROWS, the destination of SET_ROWS, and both ends of all others.
 * ggml's GET_ROWS gives F32, and its SET_ROWS takes F32.
 * @returns nothing where the name says nothing
 * @throws UsageError for a format that the operator has in no backend
 */
export function elementsOf(said: Said, operator: RowOperator): Pick<RowsSpec, 'input' | 'result'> {
  const text = said.text
    .replace(/\b(m_prec|prec|type_idx|type_KV)\s*=\s*\w+/gi, ' ')
    .replace(/\bMASK\W*b?f(16|32)\b/gi, ' ');
  const of = (pattern: string): string | undefined => new RegExp(pattern, 'i').exec(text)?.[1];
  const arrow = new RegExp(`\\b(${FORMAT})\\s*(?:->|\u2192|\\bto\\b)\\s*(${FORMAT})\\b`, 'i').exec(text);
  const alone = of(`\\btype\\s*=\\s*(${FORMAT})\\b`) ?? of(`(?<![\\w=])(${FORMAT})(?![\\w])`);
  const input =
    arrow?.[1] ?? of(`\\btype_src0?\\s*=\\s*(${FORMAT})\\b`) ?? (operator === 'SET_ROWS' ? undefined : alone);
  const result =
    arrow?.[2] ?? of(`\\btype_dst\\s*=\\s*(${FORMAT})\\b`) ?? (operator === 'GET_ROWS' ? undefined : alone);
  if (input === undefined && result === undefined) return {};
  return {
    input: formatOf(input ?? 'f32', operator, said.text),
    result: formatOf(result ?? 'f32', operator, said.text),
  };
}

function formatOf(name: string, operator: RowOperator, text: string): WeightDType {
  // Whole numbers of 32 bits are as long as F32.
  const lower = name.toLowerCase().replace('i32', 'f32');
  const known = WEIGHT_DTYPES.find((dtype) => dtype === lower);
  const whole = lower === 'f32' || lower === 'f16';
  if (known === undefined || (!whole && !MOVERS.includes(operator)))
    throw new UsageError(`"${text}": ${operator} of ${name} elements is not modelled`);
  return known;
}

/** The mask that a SOFT_MAX adds: `mask=1` with its `m_prec` (test-backend-ops), or `mask f16`. */
export function maskOf(
  said: Said,
  operator: RowOperator,
  { rows, heads }: Pick<RowsSpec, 'rows' | 'heads'>,
): RowMask | undefined {
  if (operator !== 'SOFT_MAX' || !said.has(/\bMASK\b(?!\s*=\s*0)/)) return undefined;
  const format = /m_prec\s*=\s*f16|\bmask\W*f16/i.test(said.text) ? 'f16' : 'f32';
  // Heads share the rows of a mask: of a tensor [keys, positions, heads] its positions.
  const repeats = listOf(said.text, 'nr23')?.reduce((all, each) => all * each, 1);
  return { format, rows: repeats === undefined ? (heads ?? rows) : rows / repeats };
}

/** Bytes of an element. */
export function elementBytes(format: WeightDType): number {
  const { bytes, elements } = blockOf(format);
  return bytes / elements;
}
