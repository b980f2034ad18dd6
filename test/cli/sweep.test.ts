import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCsv } from '../../src/util/csv.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const directory = temporaryDirectory();
const file = join(directory, 'sweep.json');
const store = ['--results', join(directory, 'results')];
let hashes: string[] = [];

beforeAll(async () => {
  writeFileSync(
    file,
    JSON.stringify({
      schema: 'dllm-npu/sweep@1',
      kind: 'step',
      base: { costModel: 'tinyllama-1.1b' },
      axes: { rows: [1, 64] },
    }),
  );
  const { code, stdout } = await cli(['sweep', file, ...store, '--jobs', '0', '--json']);
  expect(code).toBe(0);
  hashes = JSON.parse(stdout).runs;
});

describe('sweep', () => {
  it('says what is there and what would run', async () => {
    const again = await cli(['sweep', file, ...store, '--jobs', '0']);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('2 were there, 0 made') });
    const elsewhere = join(directory, 'nowhere');
    const dry = await cli(['sweep', file, '--results', elsewhere, '--dry-run']);
    expect(dry.stdout).toContain('2 runs, 2 of them not in');
    expect(existsSync(elsewhere)).toBe(false);
  });

  it.each([
    [['sweep', join(directory, 'absent.json')], 3],
    [['sweep', file, '--shard', '3/2'], 2],
    [['sweep', file, '--launcher', 'pbs'], 2],
    [['results', 'show', 'zzzz', ...store], 2],
    [['results', 'list', '--where', 'rows', ...store], 2],
    [['results', 'export', '--format', 'parquet', ...store], 2],
    [['results', 'list', '--metric', 'mss / 2', ...store], 2],
    [['sweep', file, '--metric', 'ms /', ...store], 2],
    [['figure', 'pareto', file, '--x', 'ms', '--y', 'nothing', ...store], 2],
    [['figure', 'pareto', file, '--x', 'ms', '--y', 'ms', '--results', join(directory, 'none')], 1],
  ])('%j ends with %i', async (argv, code) => {
    const result = await cli(argv);
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(/^error: [^\n]+\n$/);
  });
});

describe('results', () => {
  it('lists by the options that differ, filtered', async () => {
    const { stdout } = await cli(['results', 'list', ...store]);
    expect(stdout.split('\n')[0]).toMatch(/^hash +kind +outcome +run s +rows +ms +msPerRow +joules$/);
    const one = await cli(['results', 'list', '--where', 'rows=64', '--json', ...store]);
    expect(JSON.parse(one.stdout).runs.map(({ hash }: { hash: string }) => hash)).toEqual([hashes[1]]);
  });

  it('shows, compares and exports', async () => {
    const [a, b] = hashes.map((hash) => hash.slice(0, 10));
    const shown = JSON.parse((await cli(['results', 'show', a!, '--json', ...store])).stdout);
    expect(shown).toMatchObject({ hash: hashes[0], config: { rows: 1 }, made: { node: process.version } });
    const diff = JSON.parse((await cli(['results', 'diff', a!, b!, '--json', ...store])).stdout);
    expect(diff.asked).toEqual([{ name: 'config.rows', a: 1, b: 64, ratio: 64 }]);
    const csv = parseCsv((await cli(['results', 'export', '--sweep', file, ...store])).stdout);
    expect(csv).toHaveLength(3);
    expect(Number(csv[1]![csv[0]!.indexOf('ms')])).toBe(shown.metrics.ms);
    const out = join(directory, 'runs.parquet');
    expect((await cli(['results', 'export', '--format', 'parquet', '--out', out, ...store])).code).toBe(0);
    expect(existsSync(out)).toBe(true);
  });

  it('exports the columns that are asked for, and no others', async () => {
    const chosen = ['results', 'export', '--sweep', file, '--columns', 'ms,config.rows', ...store];
    const csv = parseCsv((await cli(chosen)).stdout);
    expect(csv[0]).toEqual(['ms', 'config.rows']);
    expect(csv.slice(1).map(([, rows]) => rows)).toEqual(['1', '64']);
    const unknown = await cli(['results', 'export', '--columns', 'mss', ...store]);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toMatch(/unknown column "mss": did you mean ms/);
  });

  it('prints the schema of a sweep file, in which every shipped sweep has its options', async () => {
    const { code, stdout } = await cli(['sweep', '--schema']);
    expect(code).toBe(0);
    const { $defs, properties } = JSON.parse(stdout);
    expect(Object.keys(properties)).toContain('axes');
    const shipped = join(import.meta.dirname, '../../experiments/sweeps');
    for (const name of readdirSync(shipped).filter((each) => each.endsWith('.json'))) {
      const { kind, base = {} } = JSON.parse(readFileSync(join(shipped, name), 'utf8'));
      expect(Object.keys($defs[kind].properties), name).toEqual(expect.arrayContaining(Object.keys(base)));
    }
    expect(await cli(['sweep'])).toMatchObject({ code: 2 });
  });

  it("computes a user's metric in a list, an export and after a sweep", async () => {
    const metric = ['--metric', 'per_row = ms / config.rows'];
    const { stdout } = await cli(['results', 'list', '--sweep', file, '--json', ...metric, ...store]);
    const runs = JSON.parse(stdout).runs as { hash: string; metrics: { per_row: number } }[];
    const [a, b] = runs.map(({ metrics }) => metrics.per_row);
    // Rows share a tile: 64 of them cost less each than one alone.
    expect(b).toBeLessThan(a);
    const csv = parseCsv((await cli(['results', 'export', '--sweep', file, ...metric, ...store])).stdout);
    expect(csv[0].at(-1)).toBe('per_row');
    expect(csv.slice(1).map((cells) => Number(cells.at(-1)))).toEqual([a, b]);
    const swept = await cli(['sweep', file, '--jobs', '0', '--json', ...metric, ...store]);
    expect(JSON.parse(swept.stdout).metrics).toEqual(
      runs.map(({ hash, metrics }) => ({ hash, per_row: metrics.per_row })),
    );
  });

  it('draws runs by columns and expressions of them', async () => {
    const out = join(directory, 'front');
    const axes = ['--x', 'ms / config.rows', '--y=-ms', '--name', 'rows'];
    const { code, stderr } = await cli(['figure', 'pareto', file, ...axes, '--out', out, ...store]);
    expect(code, stderr).toBe(0);
    expect(readFileSync(`${out}.vl.json`, 'utf8')).toContain('"ms / config.rows"');
  });
});
