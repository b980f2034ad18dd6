import type { PublishedRow } from '../published.js';
import { NotModelled } from './refusal.js';

/** What of a timed work a row states, and how it becomes the row's unit. */
export interface Measure {
  readonly quantity: 'time' | 'rate' | 'energy' | 'power' | 'tokens per joule' | 'bandwidth' | 'operations';
  /** Times the quantity in ms, tokens/s, J, W, tokens/J, GB/s or GFLOP/s. */
  readonly factor: number;
  readonly per: 'token' | 'all';
  /** Whole device, or what the work adds. */
  readonly net: boolean;
}

/** Tokens per second, in its spellings. */
export const RATE = /^(tok(en)?s?|tks?|t) ?(\/|per|\u00b7) ?s(ec(onds?)?)?\.?(\^?-1|\u207b\u00b9)?$|^tps$/i;

/** What a time is of, where its unit says so. */
const OF = String.raw`( ?(\/|per) ?(tok(en)?s?|query|request|step|call|run|iter(ation)?|op(erator)?|pass|forward|inference|answer|sentence|text|doc(ument)?|layer))?`;

const UNITS: readonly (readonly [RegExp, Measure['quantity'], number])[] = [
  [RATE, 'rate', 1],
  [/^(m?tok(en)?s?) ?(\/|per) ?j(oule)?$/i, 'tokens per joule', 1],
  [new RegExp(`^(s|secs?|seconds?)${OF}$`, 'i'), 'time', 1e-3],
  [new RegExp(`^(ms|msecs?|millisecs?|milliseconds?)${OF}$`, 'i'), 'time', 1],
  [new RegExp(`^(us|\u00b5s|\u03bcs|usecs?|microsecs?|microseconds?)${OF}$`, 'i'), 'time', 1e3],
  [new RegExp(`^(ns|nsecs?|nanoseconds?)${OF}$`, 'i'), 'time', 1e6],
  [/^(min|minutes?)$/i, 'time', 1 / 60_000],
  [/^j(oules?)?( ?(\/|per) ?(tok(en)?|query|request))?$/i, 'energy', 1],
  [/^mj( ?(\/|per) ?(tok(en)?))?$/i, 'energy', 1e3],
  [/^wh( ?(\/|per) ?(tok(en)?|query))?$/i, 'energy', 1 / 3600],
  [/^mwh( ?(\/|per) ?(tok(en)?|query))?$/i, 'energy', 1 / 3.6],
  [/^w(atts?)?$/i, 'power', 1],
  [/^mw$/i, 'power', 1e3],
  [/^gi?b ?(\/|per) ?s$/i, 'bandwidth', 1],
  [/^(gflops?|gflop\/s|gops?)(\/s)?$/i, 'operations', 1],
  [/^(tflops?|tflop\/s|tops?)(\/s)?$/i, 'operations', 1e-3],
];

/** @throws NotModelled for a unit that no timed work has */
export function measureOf({ unit, metric, source }: PublishedRow): Measure {
  const found = UNITS.find(([pattern]) => pattern.test(unit.trim()));
  if (found === undefined)
    throw new NotModelled(
      /^[kmgt]i?b(ytes)?$/i.test(unit.trim())
        ? `"${unit}" of memory is not predicted for a row: ask "memory plan"`
        : `unit "${unit}" is not modelled: rates, times, joules and watts are`,
    );
  const [, quantity, factor] = found;
  const perToken =
    /(\/|per) ?tok/i.test(unit) ||
    (/per.token|tpot|\bitl\b|inter.?token/i.test(metric) && quantity !== 'rate');
  return {
    quantity,
    factor,
    per: perToken ? 'token' : 'all',
    net: /net|idle|above|increment/i.test(`${metric} ${source}`),
  };
}

/** A lower or an upper bound of what was measured, not a measurement. */
export function boundOf({ metric }: PublishedRow): 'at least' | 'at most' | null {
  if (/floor|>=|at least|lower bound/i.test(metric)) return 'at least';
  return /ceiling|at most|upper bound/i.test(metric) ? 'at most' : null;
}
