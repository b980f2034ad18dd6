import { createRequire } from 'node:module';
import type { Unit } from 'mathjs';

/** Size of each unit in its base, and the prefixes it takes. mathjs counts information in bits. */
const UNITS = {
  s: { size: 1, prefixes: ['', 'm', 'u', 'n'] },
  B: { size: 8, prefixes: ['', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti'] },
  Hz: { size: 1, prefixes: ['', 'k', 'M', 'G'] },
  W: { size: 1, prefixes: ['', 'm', 'u'] },
  J: { size: 1, prefixes: ['', 'm', 'u', 'n', 'p'] },
} as const;
type UnitName = keyof typeof UNITS;

const PREFIXES = {
  '': 1,
  p: 1e-12,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
} as const;

interface Known {
  readonly unit: UnitName;
  readonly size: number;
}

const KNOWN = new Map<string, Known>(
  (Object.keys(UNITS) as UnitName[]).flatMap((unit) =>
    UNITS[unit].prefixes.map((prefix): [string, Known] => [
      prefix + unit,
      { unit, size: UNITS[unit].size * PREFIXES[prefix] },
    ]),
  ),
);

const QUANTITY = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-z]+)(?:\s*\/\s*([a-z]+))?\s*$/i;

/**
 * Converts text like `60 GB/s` to a number of base units.
 * @param base e.g. `GB/s`, made of units in the table
 * @returns 'unknown' for what is no quantity, 'wrong dimension' for one that is no multiple of the base
 */
export function toBase(text: string, base: string): number | 'unknown' | 'wrong dimension' {
  const [, digits, top, bottom] = QUANTITY.exec(text) ?? [];
  const [baseTop, baseBottom] = base.split('/').map(unitOf);
  const [over, under] = [KNOWN.get(top ?? ''), bottom === undefined ? undefined : KNOWN.get(bottom)];
  const known = over !== undefined && (bottom === undefined) === (under === undefined);
  if (!known || over.unit !== baseTop.unit || under?.unit !== baseBottom?.unit) return bySystem(text, base);
  // In the order of mathjs, so that both give the same number to the last digit.
  let value = Number(digits) * over.size;
  if (under !== undefined) value *= under.size ** -1;
  value /= baseTop.size;
  return baseBottom === undefined ? value : value / baseBottom.size ** -1;
}

function unitOf(name: string): Known {
  const known = KNOWN.get(name);
  if (known === undefined) throw new Error(`no table entry for the unit ${name}`);
  return known;
}

/** Any unit there is. Loaded only then: mathjs costs over a second. */
function bySystem(text: string, base: string): number | 'unknown' | 'wrong dimension' {
  const { unit } = createRequire(import.meta.url)('mathjs') as typeof import('mathjs');
  let parsed: Unit;
  try {
    parsed = unit(text);
  } catch {
    return 'unknown';
  }
  return parsed.equalBase(unit(1, base)) ? parsed.toNumber(base) : 'wrong dimension';
}
