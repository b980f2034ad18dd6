import { describe, expect, it } from 'vitest';
import { type MachineSettings, machine } from '../../../sim/open-machine.js';
import { stackAtThread, stackByName, stackChanges, stackGenerations } from '../../../sim/stacks/registry.js';
import { timeDecode, timePrefill } from '../../../sim/workload/workload.js';
import { UsageError } from '../../../src/errors.js';
import { resolvePreset } from '../../../src/model/presets.js';
import { type QuantRecipe, recipePrecision } from '../../../src/model/quant-recipes.js';

const BACKEND = 'llama.cpp-hexagon';

function machineAt(date: string, model: string, recipe: QuantRecipe, rest: Partial<MachineSettings> = {}) {
  const shapes = resolvePreset(model);
  return machine({
    profile: 'sm8850',
    stack: `${BACKEND}@${date}`,
    shapes,
    quant: recipePrecision(recipe, shapes),
    memory: 'unlimited',
    // Those who made the changes let CPU threads poll.
    set: { 'stack.cpuWakeMs': '0.1 ms' },
    ...rest,
  });
}

/** Speed after a change over speed before it. */
function gain(before: string, after: string, ms: (date: string) => number): number {
  return ms(before) / ms(after);
}

const measured = (thread: string, at: number): readonly number[] =>
  stackChanges(BACKEND).find((change) => change.thread.startsWith(thread))?.measured?.[at]?.ratio ?? [];

describe('a stack with dated changes', () => {
  it('is today what all of them made it, and a date before a change is the state before it', () => {
    expect(stackByName(`${BACKEND}@2026-12`).numbers).toEqual(stackByName(BACKEND).numbers);
    expect(stackByName(`${BACKEND}@2026-02`).numbers.matrixFromRows).toBe(1e9);
    expect(stackByName(`${BACKEND}@2026-03-16`).numbers.matrixFromRows).toBe(1e9);
    expect(stackByName(`${BACKEND}@2026-03-17`).numbers.matrixFromRows).toBe(32);
    expect(stackByName(`${BACKEND}@2025-12`).supports?.attention).toBe(false);
    expect(stackByName(`${BACKEND}@2026-05`).name).toBe(`${BACKEND}@2026-05`);
  });

  it('lists its states, oldest first, in order of dates', () => {
    const dates = stackChanges(BACKEND).map(({ date }) => date);
    expect(dates).toEqual([...dates].sort());
    expect(stackGenerations(BACKEND)).toHaveLength(new Set(dates).size + 1);
    expect(stackGenerations('llada.cpp')).toEqual(['llada.cpp']);
  });

  it('knows the state at a thread by its number', () => {
    expect(stackAtThread(BACKEND, 17_000)).toBe(stackGenerations(BACKEND)[0]);
    expect(stackAtThread(BACKEND, 20_692)).toBe(`${BACKEND}@2026-02-07`);
    expect(stackAtThread(BACKEND, 20_693)).toBe(`${BACKEND}@2026-03-17`);
    expect(stackAtThread(BACKEND, 30_000)).toBe(stackGenerations(BACKEND).at(-1));
  });

  it('refuses what is no date, a date too early, and dates of stacks that have none', () => {
    expect(() => stackByName(`${BACKEND}@may`)).toThrow(UsageError);
    expect(() => stackByName(`${BACKEND}@2024-01`)).toThrow(/from 2025-10-01 on/);
    expect(() => stackByName('qnn@2026-05')).toThrow(/no dated changes/);
  });
});

/** The bands are those of the threads, widened by a fifth: a gain also depends on what else takes time. */
describe('a dated change gains what its thread measured', () => {
  const within = (value: number, [from, to]: readonly number[], spread = 1.2): void => {
    expect(value).toBeGreaterThan(from / spread);
    expect(value).toBeLessThan(to * spread);
  };
  const prompt =
    (model: string, tokens: number, recipe: QuantRecipe = 'q4_0-imatrix') =>
    (date: string) =>
      timePrefill(machineAt(date, model, recipe), tokens).ms;
  const token =
    (model: string, recipe: QuantRecipe = 'q4_0-imatrix') =>
    (date: string) =>
      timeDecode(machineAt(date, model, recipe), 230).ms;

  it('#19407: vector products of two rows by two columns', () => {
    const [before, after] = ['2026-02-06', '2026-02-07'];
    within(gain(before, after, prompt('qwen3-0.6b', 204)), measured('llama.cpp#19407', 0));
    within(gain(before, after, prompt('qwen3-4b', 204)), measured('llama.cpp#19407', 0));
    within(gain(before, after, token('qwen3-4b')), measured('llama.cpp#19407', 1), 1.02);
  });

  it('#22724: a tail of rows costs the matrix unit a tile, not the vector threads all of it', () => {
    const [before, after] = ['2026-05-04', '2026-05-05'];
    within(gain(before, after, prompt('qwen3-4b', 287)), measured('llama.cpp#22724', 0), 1.25);
    within(gain(before, after, prompt('qwen3-4b', 256)), measured('llama.cpp#22724', 1), 1.02);
  });

  it('#22993: scales read by vector instructions', () => {
    const [before, after] = ['2026-05-11', '2026-05-12'];
    within(gain(before, after, prompt('qwen3-4b', 946)), measured('llama.cpp#22993', 0));
    within(gain(before, after, token('qwen3-4b')), measured('llama.cpp#22993', 1), 1.02);
  });

  it('#23647: Q4_1 in the first down projections no longer falls back', () => {
    within(gain('2026-05-24', '2026-05-25', prompt('qwen3-4b', 946)), measured('llama.cpp#23647', 0));
  });

  it('#29123: a file of K-quants is no longer the CPU', () => {
    const on = (date: string) => machineAt(date, 'llama-3.2-1b', 'q5_k_m', { profile: 'sm8550', set: {} });
    const prefill = gain('2026-08', '2026-09', (date) => timePrefill(on(date), 512).ms);
    within(prefill, measured('llama.cpp#28994', 0), 1.4);
    // The CPU of the board in the source is another one.
    within(
      gain('2026-08', '2026-09', (date) => timeDecode(on(date), 64).ms),
      measured('llama.cpp#28994', 1),
      1.3,
    );
  });
});
