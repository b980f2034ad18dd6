import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ReproduceResult, readResult, reproduceSchema } from '../../experiments/comparison/result.js';
import { ALL, STUDY_NAMES } from '../../experiments/studies/registry.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const FILES = ['result.json', 'rows.csv', 'figure.vl.json', 'figure.svg', 'figure.png'];

interface Printed {
  readonly name: string;
  readonly rows: ReproduceResult['rows'];
  readonly assumed: ReproduceResult['assumed'];
}

describe('reproduce, machine only', () => {
  const directory = temporaryDirectory();
  let printed: Printed;
  let result: ReproduceResult;

  beforeAll(async () => {
    const { code, stdout, stderr } = await cli(['reproduce', 'fig13c', '--json', '--out', directory]);
    expect(code, stderr).toBe(0);
    printed = JSON.parse(stdout) as Printed;
    result = readResult(join(directory, 'result.json'));
  });

  it('writes every file and prints what it wrote', () => {
    for (const file of FILES) expect(existsSync(join(directory, file)), file).toBe(true);
    expect(reproduceSchema.safeParse(result).success).toBe(true);
    expect(printed.name).toBe('fig13c');
    expect(printed.rows).toEqual(result.rows);
    expect(printed.assumed).toEqual(result.assumed);
    expect(printed.assumed.map(({ name }) => name)).toContain('driver.mapFixed');
  });

  it('has errors that follow from its numbers', () => {
    for (const { name, ours, paper, error, kind } of result.rows) {
      if (kind === 'ordering' || ours === null || paper === null) expect(error, name).toBeNull();
      else expect(error, name).toBeCloseTo((ours - paper) / paper, 12);
    }
  });

  it('explains every row that misses its band, and no other', () => {
    for (const { name, pass, reason, band } of result.rows) {
      expect(reason !== null, name).toBe(pass === false);
      expect(band === null, name).toBe(pass === null);
    }
  });

  it('has the same rows in the CSV as in the JSON', () => {
    const [header, ...lines] = readFileSync(join(directory, 'rows.csv'), 'utf8').trimEnd().split('\n');
    expect(header).toBe('name,ours,paper,error,kind,unit,claim,band,pass,low,high,machine_low,machine_high');
    expect(lines).toHaveLength(result.rows.length);
    lines.forEach((line, i) => {
      // Names of this experiment hold commas only inside quotes.
      const cells = line.match(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)?.map((cell) => cell.replace(/,$/, '')) ?? [];
      const row = result.rows[i];
      expect(cells[0]?.replace(/^"|"$/g, '')).toBe(row?.name);
      expect(cells[1] === '' ? null : Number(cells[1])).toBe(row?.ours);
      expect(cells[2] === '' ? null : Number(cells[2])).toBe(row?.paper);
      expect(cells[3] === '' ? null : Number(cells[3])).toBe(row?.error);
    });
  });

  it('writes the same bytes again', async () => {
    const again = temporaryDirectory();
    await cli(['reproduce', 'fig13c', '--out', again]);
    for (const file of FILES) {
      expect(readFileSync(join(again, file)).equals(readFileSync(join(directory, file))), file).toBe(true);
    }
  });

  it('reads no result from a file that is none', () => {
    expect(() => readResult(join(directory, 'rows.csv'))).toThrow(/rows\.csv: /);
    expect(() => readResult(join(directory, 'figure.vl.json'))).toThrow(/figure\.vl\.json: schema/);
  });
});

describe('reproduce, names', () => {
  it('refuses an unknown name with the nearest ones, before anything runs', async () => {
    const { code, stdout, stderr } = await cli(['reproduce', 'fig31a']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: unknown study "fig31a": did you mean .*fig3a/);
  });

  it('names every study in the help', async () => {
    const words = (await cli(['reproduce', '--help'])).stdout.split(/[\s,]+/);
    for (const name of [...STUDY_NAMES, ALL]) expect(words).toContain(name);
  });
});

describe('reproduce, each source', () => {
  const into = (name: string) => join(temporaryDirectory(), name);

  it('times operators of one layer and of all layers', async () => {
    const { code, stdout, stderr } = await cli(['reproduce', 'fig5d', '--json', '--out', into('fig5d')]);
    expect(code, stderr).toBe(0);
    const { rows } = JSON.parse(stdout) as Printed;
    const base = rows.find(({ name }) => name === 'layer without a spike');
    // The kernel alone is a millisecond or so; a layer with a mapping of a gigabyte is not the median one.
    expect(base?.ours).toBeGreaterThan(0.5);
    expect(base?.ours).toBeLessThan(3);
  });

  it('decodes, and says who decided', async () => {
    const out = into('fig8');
    const { code, stderr } = await cli([
      'reproduce',
      'fig8',
      '--workload',
      'tiny-llada',
      '--prompts',
      '1',
      '--gen-length',
      '64',
      '--out',
      out,
    ]);
    expect(code, stderr).toBe(0);
    const result = readResult(join(out, 'result.json'));
    expect(result.decisions).toMatch(/^tiny-llada \(weights [0-9a-f]{8}\) on 1 /);
    expect(result.notes.join(' ')).toContain("tiny-llada's");
    expect(result.command).toBe('dllm-npu reproduce fig8 --workload tiny-llada --prompts 1 --gen-length 64');
    expect(result.rows.every(({ kind, error }) => kind === 'ordering' && error === null)).toBe(true);
    expect(result.measured.first_commit_step).toHaveLength(32);
  });
});
