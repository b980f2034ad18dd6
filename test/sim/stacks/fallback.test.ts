import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { machine } from '../../../sim/open-machine.js';
import { groupsOf } from '../../../sim/stacks/dispatch.js';
import { stackByName, stackGenerations } from '../../../sim/stacks/registry.js';
import { isSupported } from '../../../sim/stacks/support.js';
import { graphFor } from '../../../src/model/graph-cache.js';
import { resolvePreset } from '../../../src/model/presets.js';
import { QUANT_RECIPE_NAMES, type QuantRecipe, recipePrecision } from '../../../src/model/quant-recipes.js';

const step = (rows: number, prefix = 64) => ({
  rows,
  logitsRows: 1,
  masked: false,
  kvSets: [{ name: 'prefix', length: prefix }],
});

function machineOf(stack: string, model: string, recipe: QuantRecipe, set = {}) {
  const shapes = resolvePreset(model);
  return machine({
    profile: 'sm8750',
    stack,
    shapes,
    quant: recipePrecision(recipe, shapes),
    memory: 'unlimited',
    set,
  });
}

describe('what a backend does not take', () => {
  it('runs on the CPU, and nothing else of the graph does but the embedding', () => {
    const profile = loadProfile('sm8750');
    fc.assert(
      fc.property(
        fc.constantFrom(...stackGenerations('llama.cpp-hexagon')),
        fc.constantFrom(...QUANT_RECIPE_NAMES),
        fc.constantFrom('qwen3-0.6b', 'llama-3.2-1b', 'llada-moe-7b-a1b', 'lfm2-1.2b'),
        fc.integer({ min: 1, max: 64 }),
        (name, recipe, model, rows) => {
          const stack = stackByName(name);
          const shapes = resolvePreset(model);
          const graph = graphFor(shapes, step(rows), recipePrecision(recipe, shapes));
          for (const { device, ops } of groupsOf(stack, graph, profile)) {
            for (const op of ops) {
              const taken = op.kind !== 'embed' && isSupported(op, graph, stack.supports!);
              expect(device, `${op.id} of ${recipe} at ${name}`).toBe(taken ? 'npu' : 'cpu');
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('costs a split on either side, the copy of a row, and one wake-up a pass', () => {
    const now = machineOf('llama.cpp-hexagon', 'qwen3-0.6b', 'q4_0-quantize');
    now.timePass(step(1));
    // Embedding, layers, head.
    expect(now.stepBreakdown().splits).toBe(2);
    const part = (name: string) => now.stepBreakdown().parts.find((one) => one.name === name)?.ms ?? 0;
    const { numbers } = now.options.stack;
    expect(part('split')).toBeCloseTo(2 * numbers.splitMs, 9);
    expect(part('wake-up')).toBe(numbers.cpuWakeMs);
    expect(part('host pass')).toBe(numbers.passHostMs);
    expect(part('CPU head')).toBeGreaterThan(0);
    const bytes = 2 * resolvePreset('qwen3-0.6b').hidden * 4;
    expect(part('copy')).toBeCloseTo(bytes / (now.options.profile.cpu.sharedCopyRate * 1e6), 9);
  });

  it('of a file with Q4_1 was three layers of the backend before it knew the format, and is none since', () => {
    const splits = (date: string) => {
      const timed = machineOf(`llama.cpp-hexagon@${date}`, 'qwen3-0.6b', 'q4_0-imatrix');
      timed.timePass(step(1));
      return timed.stepBreakdown().splits;
    };
    expect(splits('2026-05-24') - splits('2026-05-25')).toBe(2 * 3);
  });

  it('has no cost where the stack has no graph splits', () => {
    const timed = machineOf('llada.cpp', 'qwen3-0.6b', 'q4_0-quantize');
    timed.timePass(step(8));
    const names = timed.stepBreakdown().parts.map(({ name }) => name);
    for (const name of ['split', 'copy', 'wake-up', 'host pass']) expect(names).not.toContain(name);
  });
});
