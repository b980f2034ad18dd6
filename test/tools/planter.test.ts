import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const { root } = project();

/** A source as it is, and with a switch for each fault, as the planter's instrumenter writes them. */
const SOURCE = `
const kept = new Map();
export function total(list, first = 0) {
  let sum = 0;
  for (const value of list) sum += value;
  return sum;
}
export function double(value) {
  if (!kept.has(value)) kept.set(value, 2 * value);
  return kept.get(value);
}
let most = 1;
export function triple(value) {
  most = Math.max(most, 3);
  return most * value;
}
export function halvings(value) {
  let count = 0;
  while (value > 1) { value = value / 2; count++; }
  return count;
}
`;
const on = (id: string, other: string, own: string): string =>
  `(globalThis.__planted('${id}') ? ${other} : ${own})`;
const WITH_FAULTS = SOURCE.replace('first = 0', `first = ${on('survives', '1', '0')}`)
  .replace('sum += value', `sum += ${on('is noticed', '-value', 'value')}`)
  .replace('2 * value', on('is kept from', '3 * value', '2 * value'))
  .replace('most, 3', `most, ${on('stays behind', '4', '3')}`)
  .replace('value / 2', on('has no end', 'value', 'value / 2'));

const TEST = `
import { expect, it } from 'vitest';
import { double, halvings, total, triple } from './source.mjs';
it('adds up', () => expect(total([1, 2])).toBe(3));
it('doubles', () => expect(double(1)).toBe(2));
it('triples', () => expect(triple(1)).toBe(3));
it('halves', () => expect(halvings(8)).toBe(3));
`;

const FAULTS = ['is noticed', 'survives', 'is kept from', 'stays behind', 'has no end'];

interface Found {
  readonly faults: readonly { id: string; by: string | null; timedOut: boolean; reached: boolean }[];
  readonly cpuSeconds: number;
}

function plantedRoom(): string {
  const folder = realpathSync(temporaryDirectory());
  mkdirSync(join(folder, 'test/support'), { recursive: true });
  for (const name of ['node_modules', 'tools']) symlinkSync(join(root, name), join(folder, name));
  // What the setup of the project's own tests does is no part of the planter.
  writeFileSync(join(folder, 'test/support/run-directory.ts'), 'export function setup(): void {}\n');
  for (const name of ['fast-check', 'clean-up', 'equal-bytes'])
    writeFileSync(join(folder, `test/support/${name}.ts`), '');
  writeFileSync(join(folder, 'source.mjs'), SOURCE);
  writeFileSync(join(folder, 'made-up.test.mjs'), TEST);
  const faults = FAULTS.map((id) => ({ id, file: 'source.mjs', line: 1, was: id, becomes: id }));
  const room = {
    name: 'made-up',
    faults,
    texts: { 'source.mjs': WITH_FAULTS },
    tests: ['made-up.test.mjs'],
    isolate: false,
  };
  writeFileSync(join(folder, 'room.json'), JSON.stringify(room));
  return folder;
}

function run(folder: string): Found {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'test/tools/planted-room.mjs')],
    { cwd: folder, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('{"faults"'))) as Found;
}

/** Each thing that was noted, of one kind. */
function noted(folder: string, kind: string): string[] {
  const [journal = ''] = readdirSync(join(folder, '.stryker')).filter((name) => name.endsWith('.jsonl'));
  const lines = readFileSync(join(folder, '.stryker', journal), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, string>).flatMap((line) => line[kind] ?? []);
}

describe('the planter of faults', () => {
  let folder = '';
  let found: Found;
  beforeAll(() => {
    folder = plantedRoom();
    found = run(folder);
  });
  const of = (id: string) => found.faults.find((fault) => fault.id === id);

  it('says which test notices a fault', () => {
    expect(of('is noticed')).toEqual({
      id: 'is noticed',
      by: 'made-up.test.mjs: adds up',
      timedOut: false,
      reached: true,
    });
  });

  it('lets a fault survive only after it was tried alone', () => {
    expect(of('survives')).toMatchObject({ by: null, reached: true });
    expect(noted(folder, 'survived')).toEqual(['survives']);
  });

  it('tries a fault that stays behind again, alone', () => {
    expect(noted(folder, 'suspect')).toEqual(['stays behind']);
    expect(of('stays behind')).toMatchObject({ by: 'made-up.test.mjs: triples', timedOut: false });
  });

  it('tries a fault alone that a value of before hides', () => {
    expect(noted(folder, 'trying')).toContain('is kept from');
    expect(of('is kept from')).toMatchObject({ by: 'made-up.test.mjs: doubles', timedOut: false });
  });

  it('ends a loop that has no end by its count', () => {
    expect(of('has no end')).toMatchObject({ by: 'made-up.test.mjs: halves', timedOut: true });
  });

  it('finds the same again, and runs nothing for it', () => {
    expect(run(folder)).toEqual(found);
    expect(noted(folder, 'cpuSeconds')).toHaveLength(5);
  });
});
