import { unknownName } from '../../../src/util/nearest.js';
import type { RunKind } from '../kind.js';

/** Loaded when asked for: a step needs no engine, and every worker thread loads anew. */
const KINDS = {
  step: async () => (await import('./step.js')).stepKind,
  decide: async () => (await import('./decide.js')).decideKind,
  decode: async () => (await import('./decode.js')).decodeKind,
  verify: async () => (await import('./verify.js')).verifyKind,
} as const satisfies Record<string, () => Promise<RunKind>>;

export type KindName = keyof typeof KINDS;

export function kindNames(): KindName[] {
  return Object.keys(KINDS) as KindName[];
}

/** @throws UsageError with the nearest names */
export function kindByName(name: string): Promise<RunKind> {
  const found = kindNames().find((known) => known === name);
  if (found === undefined) throw unknownName('kind of run', name, kindNames());
  return KINDS[found]();
}
