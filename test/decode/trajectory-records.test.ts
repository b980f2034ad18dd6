import { describe, expect, it } from 'vitest';
import { ALL_POLICY_SPECS } from '../../src/decode/policies.js';
import { scenariosOfPolicy } from './support/scenarios.js';
import { brokenBy, follow, lostOf } from './support/trajectory.js';

/** What no model says breaks no law, and a line of a trace gives it back. */
describe('the record of a trajectory', () => {
  it.each(ALL_POLICY_SPECS.map(({ name }) => name))('of %s is sound and survives its lines', (name) => {
    for (const scenario of scenariosOfPolicy(name)) {
      const trajectory = follow(scenario);
      expect(brokenBy(scenario, trajectory), scenario.name).toEqual([]);
      expect(lostOf(trajectory), scenario.name).toEqual([]);
    }
  });
});
