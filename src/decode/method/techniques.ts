import { factsOf, techniquesIn } from '../parts.js';
import { type Changes, LADDER, type TechniqueName } from '../rules/ladder.js';
import { type PolicySpec, parsePolicySpec } from '../spec.js';

/** One technique of a policy, and the policy without it and without everything named before it. */
export interface TechniqueOfPolicy {
  readonly technique: TechniqueName;
  /** Promises to change no token. */
  readonly lossless: boolean;
  readonly without: PolicySpec;
}

/** What a policy has of a technique, and the changes that take it out; null when it does not use it. */
function strip(spec: PolicySpec, name: TechniqueName): { lossless?: string; changes: Changes } | null {
  const used = techniquesIn(spec).filter((technique) => technique.name === name);
  if (used.length === 0) return null;
  return {
    lossless: used[0].lossless,
    changes: Object.assign({}, ...used.map((technique) => technique.without(spec))),
  };
}

/** The techniques of a policy, last added first. Empty for the baseline itself and for next-token decoding. */
export function techniquesOf(spec: PolicySpec): TechniqueOfPolicy[] {
  const found: TechniqueOfPolicy[] = [];
  if (factsOf(spec).window.attends !== null) return found;
  let current = spec;
  for (const technique of LADDER) {
    const used = strip(current, technique);
    if (used === null) continue;
    current = parsePolicySpec({ ...current, ...used.changes, name: `${spec.name} without ${technique}` });
    found.push({ technique, lossless: used.lossless !== undefined, without: current });
  }
  return found;
}

/**
 * The policy without the techniques that promise to change no token (exact speculation, selective logits
 * skipping); null when it uses none of them. Both must give the same tokens.
 */
export function withoutLossless(spec: PolicySpec): PolicySpec | null {
  let twin: PolicySpec | null = null;
  for (const technique of LADDER) {
    const used = strip(twin ?? spec, technique);
    if (used?.lossless === undefined) continue;
    twin = { ...(twin ?? spec), ...used.changes, name: `${spec.name} without ${used.lossless}` };
  }
  return twin;
}
