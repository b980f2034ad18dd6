import { InvalidArgumentError } from 'commander';

/** Both ends included. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** @throws InvalidArgumentError when the text is no whole number within the bounds */
export function integerText(text: string, { min, max }: Bounds): number {
  const value = /^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    const wanted = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`Expected an integer ${wanted}.`);
  }
  return value;
}

/** @throws InvalidArgumentError when the text is no number within the bounds */
export function numberText(text: string, { min, max }: Bounds): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= min && value <= max)) {
    throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
  }
  return value;
}

/** Of one range: a list is printed row by row, and read by a person. */
const MAX_LIST = 10_000;

/** Part of a list of integers in llama-bench's notation: `64`, `1-8`, `0-128+32`, `1-64*2`. */
export function range(part: string, bounds: Bounds): number[] {
  const match = /^(\d+)-(\d+)(?:([+*])(\d+))?$/.exec(part);
  if (match === null) return [integerText(part, bounds)];
  const first = integerText(match[1], bounds);
  const last = integerText(match[2], bounds);
  const multiply = match[3] === '*';
  const step = match[4] === undefined ? 1 : Number(match[4]);
  if (last < first || step < (multiply ? 2 : 1) || (multiply && first === 0)) {
    throw new InvalidArgumentError(
      `"${part}" is not a range: expected FIRST-LAST, FIRST-LAST+STEP or FIRST-LAST*FACTOR.`,
    );
  }
  const values: number[] = [];
  for (let value = first; value <= last; value = multiply ? value * step : value + step) {
    values.push(value);
    if (values.length > MAX_LIST) {
      throw new InvalidArgumentError(`"${part}" has more than ${MAX_LIST} values.`);
    }
  }
  return values;
}
