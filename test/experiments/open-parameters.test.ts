import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { variant } from '../../experiments/lab/decode-statistics.js';
import { openParameters, openParametersTable } from '../../experiments/open-parameters/items.js';
import { LADDER } from '../../experiments/studies/ladder/ladder.js';
import { loadProfile } from '../../sim/hardware/load-profile.js';
import { parametersOf } from '../../sim/sensitivity/parameters.js';
import { stackByName } from '../../sim/stacks/registry.js';

describe('open parameters', () => {
  it('are 27, each with a bar, a number of the machine or a reason for neither', () => {
    expect(openParameters().map(({ number }) => number)).toEqual(Array.from({ length: 27 }, (_, i) => i + 1));
    for (const { number, bars, machine, noEffect } of openParameters()) {
      expect(bars.length + machine.length > 0, String(number)).toBe(noEffect === undefined);
    }
  });

  it('are what docs/open-parameters.md shows', () => {
    const text = readFileSync(new URL('../../docs/open-parameters.md', import.meta.url), 'utf8');
    expect(text).toContain(`\n${openParametersTable()}\n`);
  });

  it('move options that exist, to values that differ from the default of their row', () => {
    for (const { bars } of openParameters()) {
      for (const { name, row, low, high } of bars) {
        const policy = LADDER.find((each) => each.name === row)?.policy ?? '';
        for (const { text, policy: changes, ...others } of [low, high]) {
          if (text === 'default') expect({ changes, ...others }, name).toEqual({});
          else if (changes === undefined) expect(Object.keys(others), name).not.toEqual([]);
          else {
            expect({ ...variant(policy, changes), name: '' }, name).not.toEqual({
              ...variant(policy),
              name: '',
            });
          }
        }
      }
    }
  });

  it('name numbers of the machine that have a range', () => {
    const known = parametersOf(loadProfile('sm8750'), stackByName('llada.cpp')).map(({ name }) => name);
    for (const { machine } of openParameters()) expect(known).toEqual(expect.arrayContaining([...machine]));
  });
});
