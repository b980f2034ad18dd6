import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadProfile, profileNames } from '../../../sim/hardware/load-profile.js';
import { explainStep, type TimeNode } from '../../../sim/machine/explain.js';
import { MEMORY_MODES } from '../../../sim/memory/runtime.js';
import { machine as openMachine } from '../../../sim/open-machine.js';
import { stackByName, stackNames } from '../../../sim/stacks/registry.js';
import { denoisingShape, steadyMs } from '../../../sim/workload/steady-step.js';
import { timeRows } from '../../../sim/workload/time-rows.js';
import { resolvePreset } from '../../../src/model/presets.js';

function machineFor(stack: string, memory: (typeof MEMORY_MODES)[number]) {
  const machine = openMachine({
    profile: loadProfile('sm8750'),
    stack: stackByName(stack),
    shapes: resolvePreset('llada-8b'),
    quant: 'q4_0',
    memory,
  });
  const shape = { rows: 32, kvSets: [{ name: 'prefix', length: 80 }], logitsRows: 32, masked: false };
  machine.timePass(shape);
  return { machine, last: machine.timePass(shape) };
}

function checkSums(node: TimeNode): void {
  if (node.children.length === 0) return;
  expect(node.children.reduce((sum, child) => sum + child.ms, 0)).toBeCloseTo(node.ms, 6);
  for (const child of node.children) checkSums(child);
}

describe('explain', () => {
  it('tiles the whole step, on every stack and in every memory mode', () => {
    for (const stack of stackNames()) {
      for (const memory of MEMORY_MODES) {
        const { machine, last } = machineFor(stack, memory);
        const { tree, critical, efficiency } = explainStep(machine);
        expect(tree.ms).toBeCloseTo(last.endMs - last.startMs, 6);
        checkSums(tree);
        expect(critical.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(tree.ms, 6);
        expect(efficiency).toBeGreaterThan(0);
        expect(efficiency).toBeLessThanOrEqual(1 + 1e-9);
      }
    }
  });

  it('leaves no operator without a family', () => {
    const { machine } = machineFor('llada.cpp', 'on-demand');
    const rest = explainStep(machine).tree.children.filter(
      ({ name }) => name === 'host' || name === 'memory',
    );
    expect(rest).toHaveLength(2);
    for (const { name } of rest.flatMap(({ children }) => children)) expect(name).not.toMatch(/^(NPU|CPU) /);
  });

  it('says the same of a step as simulate step does, on every stack and chip', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...stackNames()),
        fc.constantFrom(...profileNames()),
        fc.integer({ min: 1, max: 130 }),
        fc.integer({ min: 0, max: 300 }),
        (stack, profile, rows, context) => {
          const machine = openMachine({
            profile,
            stack,
            shapes: resolvePreset('qwen3-0.6b'),
            quant: 'q4_0',
            memory: 'unlimited',
          });
          const [timed] = timeRows(machine, { rows: [rows], context });
          steadyMs(machine, denoisingShape(rows, context));
          const explained = explainStep(machine);
          expect([explained.ms, explained.bound]).toEqual([timed.ms, timed.bound]);
          expect([explained.tree.ms, explained.tree.bound]).toEqual([timed.ms, timed.bound]);
          expect(explained.critical[0].resource).toBe(timed.bound);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('memory map', () => {
  it('holds every weight of the NPU once: mapped, staged or absent', () => {
    for (const memory of ['on-demand', 'paging', 'somr'] as const) {
      const { machine, last } = machineFor('llada.cpp', memory);
      const map = machine.memoryMap();
      if (map === null) throw new Error('no map');
      const window = machine.options.profile.window.bytes;
      const sum = (ranges: readonly { bytes: number }[]) => ranges.reduce((all, { bytes }) => all + bytes, 0);
      expect(sum(map.mapped)).toBeLessThanOrEqual(window);
      map.mapped.slice(1).forEach(({ address }, at) => {
        const before = map.mapped[at];
        expect(address).toBeGreaterThanOrEqual((before?.address ?? 0) + (before?.bytes ?? 0));
      });
      const weights = map.mapped.filter(({ id }) => !/^(KV cache|activations|slot \d)$/.test(id));
      const all = sum(weights) + sum(map.staged) + sum(map.absent);
      expect(all / (3745 * 2 ** 20)).toBeGreaterThan(0.999);
      // Mappings are rounded up to the alignment.
      expect(all / (3745 * 2 ** 20)).toBeLessThan(1.06);
      if (memory === 'somr') {
        // The closed form counts bytes, the plan whole tensors.
        expect(sum(map.staged) / (last.counters.stagedBytes ?? 0)).toBeGreaterThan(0.95);
        expect(sum(map.staged) / (last.counters.stagedBytes ?? 0)).toBeLessThan(1.05);
      } else expect(map.staged).toEqual([]);
    }
    expect(machineFor('llada.cpp', 'unlimited').machine.memoryMap()).toBeNull();
  });
});
