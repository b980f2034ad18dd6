import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machine } from '../../../sim/open-machine.js';
import { PLACEMENTS, SESSIONS } from '../../../sim/stacks/behaviours.js';
import { STACK_NUMBER_NAMES } from '../../../sim/stacks/numbers.js';
import { stackByName, stackHash, stackNames } from '../../../sim/stacks/registry.js';
import { STACK_SCHEMA } from '../../../sim/stacks/schema.js';
import { DataError, UsageError } from '../../../src/errors.js';
import { resolvePreset } from '../../../src/model/presets.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

function fileWith(fields: Readonly<Record<string, unknown>>): string {
  const path = join(temporaryDirectory(), 'mine.json');
  const base = { schema: STACK_SCHEMA, name: 'mine', description: 'a stack of mine', extends: 'llada.cpp' };
  writeFileSync(path, JSON.stringify({ ...base, ...fields }));
  return path;
}

describe('software stacks', () => {
  it("have every number and choice, and every behaviour is somebody's", () => {
    const stacks = stackNames().map((name) => stackByName(name));
    for (const stack of stacks) expect(Object.keys(stack.numbers), stack.name).toEqual(STACK_NUMBER_NAMES);
    expect(new Set(stacks.map(({ placement }) => placement))).toEqual(new Set(Object.keys(PLACEMENTS)));
    expect(new Set(stacks.map(({ sessions }) => sessions))).toEqual(new Set(Object.keys(SESSIONS)));
    expect(stackNames()).not.toContain('common');
  });

  it('can be a file of the user that says what is different', () => {
    const cpuThreads = { value: '3', kind: 'measured', source: 'my phone' };
    const path = fileWith({ numbers: { cpuThreads }, weightReuse: 'all-tiles' });
    const mine = stackByName(path);
    const base = stackByName('llada.cpp');
    expect(mine.numbers).toEqual({ ...base.numbers, cpuThreads: 3 });
    expect(mine).toMatchObject({ name: 'mine', weightReuse: 'all-tiles', dispatch: base.dispatch });
    const shapes = resolvePreset('llada-8b');
    const timed = machine({ profile: 'sm8750', stack: path, shapes, quant: 'q4_0', memory: 'somr' });
    const shape = { rows: 64, kvSets: [], logitsRows: 0, masked: false };
    const before = machine({ profile: 'sm8750', stack: 'llada.cpp', shapes, quant: 'q4_0', memory: 'somr' });
    expect(timed.timePass(shape).endMs).toBeLessThan(before.timePass(shape).endMs);
    expect(stackHash(path)).not.toBe(stackHash('llada.cpp'));
  });

  it.each([
    [{ numbers: { cpuThread: { value: '3', kind: 'vendor', source: 'x' } } }, /cpuThread/],
    [
      { numbers: { cpuThreads: { value: '3 ms', kind: 'vendor', source: 'x' } } },
      /numbers\.cpuThreads.*plain number/,
    ],
    [{ numbers: { cpuThreads: { value: '3', kind: 'assumed', source: 'x' } } }, /numbers\.cpuThreads.*range/],
    [{ placement: 'all-npu' }, /placement/],
    [{ extends: undefined }, /extend "common"/],
    [{ extends: 'common' }, /placement/],
  ])('a wrong file is refused by field: %j', (fields, message) => {
    const path = fileWith(fields);
    expect(() => stackByName(path)).toThrow(DataError);
    expect(() => stackByName(path)).toThrow(message);
  });

  it('names what was probably meant', () => {
    expect(() => stackByName('lada.cpp')).toThrow(/did you mean llada\.cpp/);
    expect(() => stackByName(fileWith({ extends: 'lada.cpp' }))).toThrow(UsageError);
    expect(() => stackByName('common')).toThrow(UsageError);
  });

  it('dispatches by the numbers it has now', () => {
    const shapes = resolvePreset('qwen3-0.6b');
    const shape = { rows: 8, kvSets: [], logitsRows: 8, masked: false };
    const dispatches = (set: Record<string, number>): number =>
      machine({
        profile: 'sm8750',
        stack: 'llama.cpp-hexagon',
        shapes,
        quant: 'q4_0',
        memory: 'unlimited',
        set,
      }).timePass(shape).counters.dispatches;
    expect(dispatches({})).toBe(1);
    expect(dispatches({ 'stack.batchOps': 100 })).toBeGreaterThan(1);
  });
});
