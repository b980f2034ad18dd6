import { describe, it } from 'vitest';
import { ALL_POLICY_SPECS } from '../../src/decode/policies.js';
import { Golden } from './support/golden.js';
import { HOMES, sectionOf } from './support/homes.js';
import { scenariosOfPolicy, scenariosOfRule } from './support/scenarios.js';
import { follow, GROUPS, inLetters, letters, type Scenario } from './support/trajectory.js';

/**
 * Every policy, and every value of every option of a rule, stepped on what no model says: ties, and confidences that lie on thresholds.
 * What a step does is held in letters, so that the first one that differs has a name. It says that something changed, not that it was
 * right: what is right is worked by hand in the tests beside this one. `DLLM_WRITE_HASHES=1 npx vitest run test/decode/trajectories.test.ts`
 * writes it anew, after looking.
 */
const golden = new Golden('trajectories.json');

const textOf = (one: Scenario | { readonly refused: string }): string => {
  if ('refused' in one) return `refused ${letters(one.refused)}`;
  const { start, steps, counted } = follow(one);
  return [...steps.map(inLetters), letters([start, counted])].join(' ');
};

/** Where two trajectories part, and what the step does now. */
function difference(one: Scenario | { readonly refused: string }, before: string, now: string): string {
  const [was, is] = [before.split(' '), now.split(' ')];
  const step = is.findIndex((text, at) => text !== was[at]);
  if ('refused' in one || step < 0 || step >= is.length - 1) return `${before} -> ${now}`;
  const group = GROUPS.findIndex(
    (_, at) => is[step].slice(2 * at, 2 * at + 2) !== was[step]?.slice(2 * at, 2 * at + 2),
  );
  return `step ${step}, ${GROUPS[group]}: ${JSON.stringify(follow(one).steps[step][GROUPS[group]])}`;
}

function compare(
  section: string,
  all: readonly (Scenario | { readonly name: string; readonly refused: string })[],
): void {
  const now = Object.fromEntries(all.map((one) => [one.name, textOf(one)]));
  golden.compare(section, now, (name, was) => {
    const one = all.find((each) => each.name === name);
    return one === undefined ? 'is new' : difference(one, was, now[name]);
  });
}

describe('a trajectory', () => {
  it.each(ALL_POLICY_SPECS.map(({ name }) => name))('of %s is the one it was', (name) => {
    compare(`policy ${name}`, scenariosOfPolicy(name));
  });

  const homes = HOMES.map((home, at) => [sectionOf(home), at] as const);

  it.each(homes)('of the %s is the one it was, with each of its options', (name, at) => {
    compare(name, scenariosOfRule(at));
  });
});
