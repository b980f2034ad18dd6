import { canonicalJson } from '../canonical.js';
import type { Question } from '../lab.js';
import { deciderIdentity, openSpec } from '../open.js';
import type { CasesSetup, ChipSetup, DeciderSetup, MethodSetup } from '../setup.js';

type Asked = DeciderSetup & MethodSetup & CasesSetup;

/** Every case of a configuration. */
export function questions(config: Asked, chip: ChipSetup | null): Question[] {
  const { seed, firstCase, cases, genLength } = config;
  const spec = openSpec(config);
  return Array.from({ length: cases }, (_, at) => ({
    decider: config,
    seed,
    index: firstCase + at,
    genLength,
    spec,
    asked: config,
    clock: chip,
    costs: chip,
  }));
}

/** Equal for runs that decide the same cases by the same method, on whatever machine. */
export function sameDecisions(config: Asked): string {
  const { policy, options, blockLength, seed, firstCase, cases, genLength } = config;
  const decider = deciderIdentity(config);
  return canonicalJson({ decider, policy, options, blockLength, seed, firstCase, cases, genLength });
}
