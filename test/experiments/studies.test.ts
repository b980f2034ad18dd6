import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Comparison } from '../../experiments/comparison/compare.js';
import { readResult } from '../../experiments/comparison/result.js';
import { paperNumbers } from '../../experiments/paper/numbers.js';
import { fig13a } from '../../experiments/studies/fig13a.js';
import { fig13b } from '../../experiments/studies/fig13b.js';
import { LADDER } from '../../experiments/studies/ladder/ladder.js';
import { lookaheadGrid } from '../../experiments/studies/lookahead-grid.js';
import { refreshLane } from '../../experiments/studies/refresh-lane.js';
import { ALL, LONG, STUDIES, STUDY_NAMES, studiesNamed } from '../../experiments/studies/registry.js';
import { subsets } from '../../experiments/studies/subsets.js';
import { table6 } from '../../experiments/studies/table6.js';
import { tornado } from '../../experiments/studies/tornado.js';

const folder = new URL('../../experiments/studies/', import.meta.url);
/** Files beside the studies that are none. */
const OTHERS = ['registry', 'shapley'];

describe('the list of studies', () => {
  it('has a line for every file', () => {
    const files = readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => name.slice(0, -'.ts'.length));
    expect(files.filter((name) => !OTHERS.includes(name)).sort()).toEqual([...STUDY_NAMES].sort());
  });

  it('calls each study by the name it has itself', async () => {
    for (const name of STUDY_NAMES) expect((await STUDIES[name]()).name).toBe(name);
  });

  it('gives one, all, or the nearest names', () => {
    expect(studiesNamed('fig8')).toEqual(['fig8']);
    expect(studiesNamed(ALL)).toEqual(STUDY_NAMES.filter((name) => !LONG.includes(name)));
    expect(() => studiesNamed('fig31a')).toThrow(/unknown study "fig31a": did you mean .*fig3a/);
  });
});

describe('reference results', () => {
  it('are there for every study, in the form that is written today', () => {
    for (const name of STUDY_NAMES) {
      const path = new URL(`../../results/reference/reproduce/${name}/result.json`, import.meta.url);
      expect(readResult(fileURLToPath(path)).name).toBe(name);
    }
  });
});

/** The values of rows by their names. */
const ours = (rows: readonly Comparison[]) => Object.fromEntries(rows.map((row) => [row.name, row.ours]));

/** Small columns of the shape that a study measures: what follows from them costs nothing, decodes do. */
describe('what follows from measured columns', () => {
  const { tables } = paperNumbers();

  it('subsets: shares, factors and interactions', () => {
    const measured = {
      subset: Array.from({ length: 32 }, (_, i) => `s${i}`),
      seconds: Array.from({ length: 32 }, (_, i) => 32 - i),
      forwards: Array.from({ length: 32 }, () => 1),
      technique: ['SOMR' as const, 'MBSD' as const],
      shapley_log: [Math.log(4), Math.log(8)],
      alone_log: [0, Math.log(2)],
      pair: ['a with b'],
      interaction_log: [0],
      ...{ share_low_pct: [30, 50], share_high_pct: [50, 70], alone_low_x: [1, 1], alone_high_x: [1, 3] },
      ...{ total_low: 30, total_high: 35 },
    };
    const found = ours(subsets.compare({ ...measured, ...subsets.derive(measured, {}) }, {}));
    expect(found['all five over none']).toBe(32);
    expect(found['SOMR: Shapley share of the speed-up']).toBeCloseTo(40, 9);
    expect(found['MBSD alone']).toBeCloseTo(2, 9);
    expect(found['MBSD: Shapley factor']).toBeCloseTo(8, 9);
  });

  it('lookahead-grid: labels of the whole grid, the best gain and how many pay', () => {
    const cells = 9 * 7;
    const measured = {
      tile: [],
      block: [],
      allowance: [],
      trigger: [],
      forwards: [],
      seconds: Array.from({ length: cells }, (_, i) => (i === 3 ? 4 : 8)),
      off_s: Array.from({ length: cells }, () => 8),
      gain_low: [],
      gain_high: [],
    };
    const found = ours(lookaheadGrid.compare({ ...measured, ...lookaheadGrid.derive(measured, {}) }, {}));
    expect(found['tile 16, block 16, off']).toBe(8);
    expect(found['tile 16, block 16, trigger 4, allowance 0.5']).toBe(4);
    expect(found['best gain of lookahead']).toBe(2);
    expect(found['settings in which it pays']).toBe(1);
  });

  it('tornado: bars with their item and their ends, and items without a bar', () => {
    const measured = {
      parameter: ['p', 'q'],
      item: [1, 0],
      low_text: ['a', '1 us'],
      high_text: ['b', '2 us'],
      base_s: [10, 10],
      low_s: [9, 9.5],
      high_s: [11, 10.5],
      swing_pct: [20, 10],
      full_system_s: 10,
      without_bar: [26, 27],
      without_bar_reason: ['an output', 'another question'],
    };
    expect(ours(tornado.compare({ ...measured, ...tornado.derive(measured, {}) }, {}))).toEqual({
      'full system, all defaults': 10,
      '1 p (a to b)': 20,
      'q (1 us to 2 us)': 10,
      '26: no bar (an output)': 0,
      '27: no bar (another question)': 0,
    });
  });

  it('fig13a: gains over the trigger 0 and the fastest trigger, of the paper too', () => {
    const trigger = [0, 1, 2];
    const none = {
      ...{ forwards: [], drafts_accepted: [], rows_per_pass: [] },
      ...{ over_off_low: [], over_off_high: [] },
      ...{ saving_policy: ['mbsd'], forwards_off: [12], forwards_at_4: [10] },
    };
    const derived = fig13a.derive({ trigger, seconds: [12, 8, 10], ...none }, tables.fig13a.columns);
    expect(derived.over_off).toEqual([1, 1.5, 1.2]);
    expect(derived.best).toBe(1);
    expect(derived.paper_best).toBe(4);
    expect(derived.with_a_free_tile).toEqual([1.2]);
  });

  it('fig13b: counts falls inside a row and inversions between rows', () => {
    const { visible, stable, below_stable } = tables.fig13b.columns;
    const published = fig13b.derive(
      { visible, stable, below_stable_pct: below_stable, low_pct: [], high_pct: [] },
      tables.fig13b.columns,
    );
    expect(published.falling_in_row).toBe(published.paper_falling_in_row);
    expect(published).toMatchObject({ paper_falling_in_row: 0, paper_inversions: 1 });
    const falling = {
      ...{ visible, stable, low_pct: [], high_pct: [] },
      below_stable_pct: below_stable.map((share) => -share),
    };
    // 22 cells in 5 rows: every neighbour inside a row falls.
    expect(fig13b.derive(falling, tables.fig13b.columns).falling_in_row).toBe(17);
  });

  it('refresh-lane: the largest number of rows at which the CPU wins', () => {
    const measured = {
      refreshed: [1, 2, 4],
      alone_ms: [10, 10, 10],
      cpu_ms: [11, 12, 20],
      npu_same_pass_ms: [13, 13, 13],
      npu_own_pass_ms: [15, 15, 12],
    };
    const derived = refreshLane.derive(measured, {});
    expect(derived.npu_extra_ms).toEqual([3, 3, 2]);
    expect(ours(refreshLane.compare({ ...measured, ...derived }, {}))).toMatchObject({
      'largest number of rows at which the CPU wins': 2,
    });
    const never = { ...measured, cpu_ms: [14, 14, 14] };
    expect(ours(refreshLane.compare({ ...never, ...refreshLane.derive(never, {}) }, {}))).toMatchObject({
      'largest number of rows at which the CPU wins': 0,
    });
  });

  it('table6: the ladder has the seconds of the published table', () => {
    expect(LADDER.map(({ paperS }) => paperS)).toEqual(tables.table6.columns.seconds);
  });

  it('table6: gains row by row, and none where drafts were not asked for', () => {
    const paper = tables.table6.columns;
    const row = LADDER.map(({ name }) => name);
    const none = { forwards: [], drafts_accepted: [], refreshes: [] };
    const [low, high] = [LADDER.map(() => 0.5), LADDER.map((_, at) => 2 + at)];
    const measured = {
      ...none,
      ...{ low_s: low, high_s: high, machine_low_s: low, machine_high_s: high },
      ...{ gain_low: low, gain_high: high, gain_machine_low: low, gain_machine_high: high },
      ...{ over_cpu_kv_low: low, over_cpu_kv_high: high },
      ...{ over_cpu_kv_machine_low: low, over_cpu_kv_machine_high: high },
      predicted_rows: 5,
      row,
      seconds: paper.seconds,
      fed_drafts_s: [null, 8.05],
    };
    const rows = table6.compare({ ...measured, ...table6.derive(measured, paper) }, paper);
    // The paper against itself: every row that has a number of the paper has the same one.
    for (const { name, ours: value, paper: published } of rows) {
      if (!name.includes('fed as tokens')) expect(value, name).toBe(published);
    }
    expect(ours(rows)).toMatchObject({
      'gain of MBSD, drafts fed as tokens': null,
      'full system over CPU + KV, drafts fed as tokens': 607 / 8.05,
      'gain of STS': 59.8 / 16.4,
      // By hand, so that paper and ours cannot be wrong together.
      'full system over CPU + KV': 607 / 16.1,
      'CPU: gain of prefix KV': 2996.2 / 607,
      'NPU: gain of prefix KV': 341.2 / 87,
    });
    // Each row has the interval of its own place in the ladder.
    const highs = (name: string) => {
      const found = rows.find((each) => each.name === name);
      return [found?.cases?.high, found?.machine?.high];
    };
    expect(highs('CPU + prefix KV')).toEqual([3, 3]);
    expect(highs('gain of STS')).toEqual([8, 8]);
    expect(highs('full system over CPU + KV')).toEqual([10, 10]);
  });
});
