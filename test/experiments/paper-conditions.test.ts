import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WORKBENCH_DEFAULTS } from '../../experiments/comparison/options.js';
import { runStudy } from '../../experiments/comparison/run.js';
import { Workbench } from '../../experiments/comparison/workbench.js';
import { renderSvg } from '../../experiments/figures/render.js';
import { paperElsewhere } from '../../experiments/paper/conditions.js';
import { type PaperTableName, paperNumbers } from '../../experiments/paper/numbers.js';
import { STUDIES, type StudyName } from '../../experiments/studies/registry.js';

const { tables, conditions } = paperNumbers();
const names = Object.keys(tables) as PaperTableName[];
const other = {
  soc: 'SM8650',
  costModel: 'dream-7b',
  quant: 'q8_0',
  genLength: 32,
  blockLength: 16,
} as const;
const all = Object.keys(conditions) as (keyof typeof conditions)[];

describe("whether the paper's numbers belong beside a run", () => {
  it('they do under its conditions, and where a run does not have a condition', () => {
    for (const name of [...names, null]) {
      expect(paperElsewhere(name, conditions)).toBeNull();
      expect(paperElsewhere(name, { ...conditions, soc: 'Snapdragon 8 Elite (SM8750)' })).toBeNull();
      expect(paperElsewhere(name, {})).toBeNull();
    }
  });

  it('they do not when any condition that counts differs, which is named', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.subarray(all, { minLength: 1 }), (name, changed) => {
        const run = { ...conditions, ...Object.fromEntries(changed.map((key) => [key, other[key]])) };
        const counts = changed.filter((key) => tables[name].conditions.includes(key));
        const said = paperElsewhere(name, run);
        expect(said === null).toBe(counts.length === 0);
        for (const key of counts) expect(said).toContain(String(other[key]));
      }),
    );
  });

  it('does not take a longer part number for its own', () => {
    expect(paperElsewhere('table2', { soc: 'SM87505' })).not.toBeNull();
  });
});

describe('a study under other conditions', () => {
  const cases: readonly (readonly [StudyName, Partial<typeof WORKBENCH_DEFAULTS>])[] = [
    ['table2', { profile: 'sm8650' }],
    ['fig3a', { costModel: 'dream-7b' }],
    ['fig3b', { quant: 'q8_0' }],
    ['fig5d', { profile: 'sm8850' }],
    ['fig13c', { profile: 'sm8650' }],
    ['table6', { profile: 'sm8650', genLength: 32, prompts: 1 }],
    ['fig5a', { genLength: 64, prompts: 1 }],
    ['fig13a', { genLength: 32, prompts: 1 }],
    ['counterfactuals', { genLength: 32, prompts: 1 }],
  ];

  it.each(cases)('%s with %j shows nothing of the paper', async (name, options) => {
    const bench = new Workbench({ ...WORKBENCH_DEFAULTS, ...options });
    const { result, figure } = await runStudy(await STUDIES[name](), bench);
    await bench.close();
    expect(result.rows.length).toBeGreaterThan(0);
    for (const { paper, error, band, pass } of result.rows)
      expect([paper, error, band, pass]).toEqual([null, null, null, null]);
    expect(result.paper).toBeNull();
    expect(result.published).toEqual({});
    expect(
      Object.keys({ ...result.measured, ...result.derived }).filter((key) => /^paper_/.test(key)),
    ).toEqual([]);
    expect(result.notes.filter((note) => note.startsWith("The paper's numbers are left out"))).toHaveLength(
      1,
    );
    expect(/>paper/.test(await renderSvg(figure))).toBe(false);
  });
});
