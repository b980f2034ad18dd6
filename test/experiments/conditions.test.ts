import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WORKBENCH_DEFAULTS, type WorkbenchOptions } from '../../experiments/comparison/options.js';
import { runStudy } from '../../experiments/comparison/run.js';
import { visibleOf } from '../../experiments/comparison/visible.js';
import { Workbench } from '../../experiments/comparison/workbench.js';
import { mismatches } from '../../experiments/paper/conditions.js';
import { conditionsOf } from '../../experiments/paper/numbers.js';
import { STUDIES, STUDY_NAMES, type StudyName } from '../../experiments/studies/registry.js';

/** Options under which the paper measured nothing. */
const OTHER: readonly (readonly [StudyName, Partial<WorkbenchOptions>])[] = [
  // Studies that decode nothing take a second at most.
  ['table2', { profile: 'sm8650' }],
  ['fig3a', { profile: 'sm8850', genLength: 32 }],
  ['fig3b', { costModel: 'dream-7b' }],
  ['fig13c', { quant: 'q8_0' }],
];

describe('published numbers beside a run', () => {
  it.each(OTHER)(
    'are not in any result, column or figure of a run under other conditions: %s %j',
    async (name, options) => {
      const bench = new Workbench({ ...WORKBENCH_DEFAULTS, ...options });
      const { result, figure } = await runStudy(await STUDIES[name](), bench);
      expect(result.rows.length).toBeGreaterThan(0);
      for (const row of result.rows) expect(row).toMatchObject({ paper: null, error: null, pass: null });
      expect(result.published).toEqual({});
      expect(
        Object.keys({ ...result.measured, ...result.derived }).filter((key) => /^paper_/.test(key)),
      ).toEqual([]);
      const published = Object.values(conditionsOf('table2')).filter((value) => typeof value === 'string');
      expect(result.notes[0]).toContain('No published number is shown');
      expect(published.some((value) => result.notes[0].includes(value))).toBe(true);
      const drawn = JSON.stringify(figure({ width: 504, plot: 350 }));
      // As whole numbers: digits of a longer one are somebody else's.
      for (const value of ['478.1', '4239.6', '44.2', '1830', '52.4'])
        expect(drawn).not.toMatch(new RegExp(`(?<![\\d.])${value.replace('.', '\\.')}(?!\\d)`));
      await bench.close();
    },
  );

  it('stay in a run under their own', async () => {
    const bench = new Workbench(WORKBENCH_DEFAULTS);
    const { result } = await runStudy(await STUDIES.table2(), bench);
    expect(result.rows.every(({ paper }) => paper !== null)).toBe(true);
    expect(result.conditions?.differs).toEqual([]);
    await bench.close();
  });

  it('are withheld by every study under every other option', async () => {
    for (const name of STUDY_NAMES) {
      const study = await STUDIES[name]();
      for (const options of [{ profile: 'sm8650' }, { costModel: 'dream-7b' }, { quant: 'f16' as const }]) {
        const bench = new Workbench({ ...WORKBENCH_DEFAULTS, ...options });
        const shown = visibleOf(study, bench, undefined);
        expect(shown.matches, `${name} ${JSON.stringify(options)}`).toBe(false);
        const ends = { low: 0.9, high: 1.1, machineLow: 0.5, machineHigh: 2 };
        const row = {
          name: 'x',
          ours: 1,
          paper: 2,
          error: -0.5,
          kind: 'ordering',
          unit: 's',
          ...ends,
        } as const;
        const judged = { ...row, claim: 'T1', band: 'over 1', pass: false, reason: 'because' };
        expect(shown.row(judged)).toEqual({
          ...row,
          paper: null,
          error: null,
          claim: null,
          band: null,
          pass: null,
          reason: null,
        });
        expect(shown.columns({ seconds: [1], paper_s: [2], published: [3] })).toEqual({ seconds: [1] });
      }
    }
  });

  it('of a length need that length, and of a data set that data set', () => {
    const run = { costModel: 'llada-8b', quant: 'q4_0', soc: 'Snapdragon 8 Elite (SM8750)', genLength: 128 };
    const table6 = conditionsOf('table6');
    expect(mismatches(table6, { ...run, dataset: 'GSM8K' })).toEqual([]);
    expect(mismatches(table6, { ...run, dataset: null })).toHaveLength(1);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 512 }), (genLength) => {
        const found = mismatches(table6, { ...run, dataset: 'GSM8K', genLength });
        expect(found.map(({ condition }) => condition)).toEqual(genLength === 128 ? [] : ['genLength']);
      }),
    );
  });
});
