import { UsageError } from '../errors.js';
import { type PolicySpec, type PolicySpecInput, parsePolicySpec } from './spec.js';

type Branch = { [key: string]: unknown };

function isBranch(value: unknown): value is Branch {
  return typeof value === 'object' && !Array.isArray(value);
}

/**
 * A spec with some options changed, for sweeps and the command line. Keys are paths: `commit.visible`,
 * `window.lookahead.trigger`. A change of `kind` starts that rule anew with its defaults; `window.lookahead` may
 * be set to null to switch it off. The name notes every change.
 * @throws UsageError for a path or value the schema refuses
 */
export function overrideSpec(spec: PolicySpecInput, changes: Readonly<Record<string, unknown>>): PolicySpec {
  const root: Branch = structuredClone(parsePolicySpec(spec));
  // Kinds first: what follows belongs to the new rule.
  const entries = Object.entries(changes).sort(
    ([a], [b]) => Number(b.endsWith('kind')) - Number(a.endsWith('kind')),
  );
  for (const [path, value] of entries) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let branch = root;
    for (const key of keys) {
      const below: unknown = branch[key] ?? {};
      if (!isBranch(below)) throw new UsageError(`policy option "${path}": ${key} has no options below it`);
      branch[key] = below;
      branch = below;
    }
    if (last === 'kind' && branch.kind !== value) for (const key of Object.keys(branch)) delete branch[key];
    if (value === null && last === 'lookahead') delete branch[last];
    else branch[last] = value;
  }
  const notes = Object.entries(changes).map(([path, value]) => `${path}=${String(value)}`);
  const name = [spec.name, ...notes].join(' ');
  return parsePolicySpec('name' in changes ? root : { ...root, name });
}
