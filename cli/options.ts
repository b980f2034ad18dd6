import { InvalidArgumentError } from 'commander';

/** Parser of an integer option. @param max inclusive */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range =
    max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`;
  return (text) => {
    const value = /^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected ${range}.`);
    }
    return value;
  };
}

/** Parser of a number option. */
export function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
    return value;
  };
}

const MAX_LIST = 10_000;

/**
 * Parser of a list of integers in llama-bench's notation: `32,64,128`, `1-8`, `0-128+32`, `1-64*2`.
 */
export function integerList(min: number): (text: string) => number[] {
  const one = integer(min);
  return (text) => text.split(',').flatMap((part) => range(part.trim(), one));
}

function range(part: string, one: (text: string) => number): number[] {
  const match = /^(\d+)-(\d+)(?:([+*])(\d+))?$/.exec(part);
  if (match === null) return [one(part)];
  const first = one(match[1] ?? '');
  const last = one(match[2] ?? '');
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
    if (values.length > MAX_LIST)
      throw new InvalidArgumentError(`"${part}" has more than ${MAX_LIST} values.`);
  }
  return values;
}
