import { overrideSpec } from '../../src/decode/overrides.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { PolicySpec, PolicySpecInput } from '../../src/decode/spec.js';

/** Some options of a rule, or of one of its alternatives. */
type Partly<T> = T extends object ? { readonly [K in keyof T]?: Partly<T[K]> } : T;

/**
 * Options of a policy to change: nested as in the spec (`{ commit: { visible: 0.8 } }`), or by path
 * (`{ 'commit.visible': 0.8 }`).
 */
export type PolicyChanges =
  | Partly<Omit<PolicySpecInput, 'name'>>
  | Readonly<Record<`${string}.${string}`, unknown>>;

/**
 * A decoding method as data: a named policy, one read from a `.json` file, or a spec of your own, with some options
 * changed. `decode` makes it ready to run.
 * @throws UsageError with the nearest names, or naming the option that is wrong
 */
export function policy(nameOrSpec: string | PolicySpecInput, changes: PolicyChanges = {}): PolicySpec {
  const spec = typeof nameOrSpec === 'string' ? policySpecByName(nameOrSpec) : nameOrSpec;
  return overrideSpec(spec, pathsOf(changes));
}

/** `{a: {b: 1}}` as `{'a.b': 1}`. */
function pathsOf(changes: object, above = ''): Record<string, unknown> {
  const paths: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(changes)) {
    if (isBranch(value)) Object.assign(paths, pathsOf(value, `${above}${key}.`));
    else if (value !== undefined) paths[above + key] = value;
  }
  return paths;
}

/** Options below an option; one without any is set as it stands. */
function isBranch(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
  );
}
