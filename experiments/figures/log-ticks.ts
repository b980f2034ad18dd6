import { TEXT } from './style.js';
import { textWidth } from './text-width.js';

/**
 * Ticks of a logarithmic axis of a width whose labels do not run into each other: powers of ten where two of them fit, else as
 * many of 1, 2 and 5 times them as have room, from the left.
 * @param domain low and high end of the axis
 */
export function roomyLogTicks(domain: readonly [number, number], width: number): number[] {
  const [low, high] = domain;
  const ticks = logTicks(domain);
  const at = (tick: number): number => (width * Math.log(tick / low)) / Math.log(high / low);
  const half = (tick: number): number => textWidth(tick.toLocaleString('en-US'), TEXT) / 2 + 3;
  const apart = (some: readonly number[]): boolean =>
    some.every((tick, i) => i === 0 || at(tick) - half(tick) >= at(some[i - 1]) + half(some[i - 1]));
  const decades = ticks.filter((tick) => Number.isInteger(Math.round(Math.log10(tick) * 1e6) / 1e6));
  if (apart(ticks)) return ticks;
  if (decades.length > 1 && apart(decades)) return decades;
  const kept: number[] = [];
  for (const tick of ticks) if (apart([...kept.slice(-1), tick])) kept.push(tick);
  return kept;
}

/** Powers of ten, and 2 and 5 between them where there are few. */
export function logTicks([low = 1, high = 10]: readonly number[]): number[] {
  const first = Math.floor(Math.log10(low));
  const decades = Math.ceil(Math.log10(high)) - first;
  const steps = decades > 3 ? [1] : [1, 2, 5];
  return Array.from({ length: decades + 1 }, (_, i) => steps.map((step) => step * 10 ** (first + i)))
    .flat()
    .filter((tick) => tick >= low && tick <= high);
}
