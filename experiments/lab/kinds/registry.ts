import { unknownName } from '../../../src/util/nearest.js';
import type { RunKind } from '../kind.js';

/** Loaded when asked for: a step needs no engine, and every worker thread loads anew. */
const KINDS: Readonly<Record<string, () => Promise<RunKind>>> = {
  step: async () => (await import('./step.js')).stepKind,
  decode: async () => (await import('./decode.js')).decodeKind,
};

export function kindNames(): string[] {
  return Object.keys(KINDS);
}

/** @throws UsageError with the nearest names */
export async function kindByName(name: string): Promise<RunKind> {
  if (!Object.hasOwn(KINDS, name)) throw unknownName('kind of run', name, kindNames());
  return KINDS[name]();
}
