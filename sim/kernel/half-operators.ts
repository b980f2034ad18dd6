import type { RowOperator } from '../machine/lower/row-operator.js';
import type { SoftwareStack } from '../stacks/stack.js';
import type { RowsSpec } from './spec.js';

/** Formats that an operator takes besides F32 throughout, and since when. */
interface Taken {
  readonly operators: readonly RowOperator[];
  readonly formats: readonly (readonly [input: RowsSpec['input'], result: RowsSpec['result']])[];
  readonly since: string;
}

const HALVES = [['f16', 'f16']] as const;
const EITHER = [...HALVES, ['f16', 'f32'], ['f32', 'f16']] as const;

/**
 * What llama.cpp's Hexagon backend takes, by the thread that brought it (ggml-hexagon.cpp, `ggml_hexagon_supported_*`). Formats of
 * GET_ROWS and SET_ROWS came with no thread of their own: the date is that of the oldest source seen with them.
 */
const TAKEN: readonly Taken[] = [
  // #18611
  { operators: ['SET_ROWS'], formats: [['f32', 'f16']], since: '2026-01-05' },
  // #18822
  { operators: ['CPY'], formats: EITHER, since: '2026-01-14' },
  // #20139
  { operators: ['ADD', 'SUB', 'MUL', 'DIV'], formats: HALVES, since: '2026-03-05' },
  {
    operators: ['GET_ROWS'],
    formats: [
      ['f16', 'f32'],
      ['q8_0', 'f32'],
    ],
    since: '2026-08-01',
  },
  { operators: ['SET_ROWS'], formats: [['f32', 'q8_0']], since: '2026-08-01' },
  // #28228
  {
    operators: ['NORM', 'RMS_NORM', 'L2_NORM', 'SCALE', 'CLAMP', 'SQR', 'SQRT'],
    formats: HALVES,
    since: '2026-09-02',
  },
];

/** Whether the backend of a stack, at its date, takes the formats of a row operator; all in F32 it always does. */
export function takesFormats(
  { operator, input = 'f32', result = 'f32' }: RowsSpec,
  { name }: SoftwareStack,
): boolean {
  if (input === 'f32' && result === 'f32') return true;
  const date = name.split('@')[1];
  return TAKEN.some(
    ({ operators, formats, since }) =>
      operators.includes(operator) &&
      formats.some(([read, written]) => read === input && written === result) &&
      (date === undefined || since.slice(0, date.length) <= date),
  );
}
