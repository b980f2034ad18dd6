import { baseText } from '../../sim/hardware/quantity.js';
import type { Parameter } from '../../sim/sensitivity/parameters.js';

/** What an end of a parameter's range is called beside its bar: `2.12 GHz`, `5 µs`, `64 MiB`. */
export function endText(
  { dimension, integral }: Pick<Parameter, 'dimension' | 'integral'>,
  value: number,
): string {
  const digits = integral ? Math.round(value) : Number(value.toPrecision(3));
  if (dimension === 'count' && Math.abs(digits) >= 10_000) return digits.toLocaleString('en-US');
  const text = baseText(digits, dimension);
  const [, number, unit] = /^(\S+) (ms|B)$/.exec(text) ?? [];
  if (unit === 'ms' && value !== 0 && value < 0.0995) {
    return value < 0.0000995 ? `${short(value * 1e6)} ns` : `${short(value * 1e3)} \u00b5s`;
  }
  if (unit === 'B') {
    const power = Math.min(3, Math.floor(Math.log2(Math.max(1, Number(number))) / 10));
    return `${short(value / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB'][power]}`;
  }
  return text;
}

const short = (value: number): string => String(Number(value.toPrecision(3)));
