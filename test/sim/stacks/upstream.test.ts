import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import type { Machine } from '../../../sim/machine/machine.js';
import { NpuUnits } from '../../../sim/machine/npu-unit.js';
import { ratesOf } from '../../../sim/machine/rates.js';
import { type MachineSettings, machine as openMachine } from '../../../sim/open-machine.js';
import { opWeightBytes } from '../../../sim/stacks/behaviours.js';
import { groupsOf } from '../../../sim/stacks/dispatch.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { overrideStack } from '../../../sim/stacks/stack.js';
import { graphFor } from '../../../src/model/graph-cache.js';
import { precisionFor } from '../../../src/model/precision.js';
import { resolvePreset } from '../../../src/model/presets.js';
import type { PassShape } from '../../../src/pass/shape.js';

const UPSTREAM = [
  'llama.cpp-hexagon',
  'llama.cpp-hexagon@2026-05',
  'llama.cpp-hexagon@2025-12',
  'mnn-hexagon',
  'htp-ops',
  'nntrainer',
  'qnn',
  'qnn-a8',
  'qnn-fp16',
];

function machineFor(stackName: string, overrides: Partial<MachineSettings> = {}): Machine {
  return openMachine({
    profile: loadProfile('sm8750'),
    stack: stackByName(stackName),
    shapes: resolvePreset('qwen3-0.6b'),
    quant: 'q4_0',
    memory: 'unlimited',
    ...overrides,
  });
}

const shape = (rows: number, prefix = 0, logitsRows = rows): PassShape => ({
  rows,
  logitsRows,
  masked: false,
  kvSets: prefix === 0 ? [] : [{ name: 'prefix', length: prefix }],
});

/** Time of one operator family in the last step. */
function partMs(machine: Machine, name: string): number {
  return machine.stepBreakdown().parts.find((part) => part.name === name)?.ms ?? 0;
}

describe.each(UPSTREAM)('%s', (name) => {
  it('has a closed form of its operators within 10 % of the events', () => {
    const [profile, stack] = [loadProfile('sm8750'), stackByName(name)];
    const context = { profile, stack, rates: ratesOf(profile, false, stack.weightStream) };
    for (const model of ['qwen3-0.6b', 'llama-3.2-3b', 'llada-moe-7b-a1b'].map(resolvePreset)) {
      for (const pass of [shape(1, 500), shape(32, 80), shape(200, 0, 1)]) {
        const graph = graphFor(model, pass, precisionFor('q4_0'));
        const [event, closed] = (['event', 'closed-form'] as const).map((schedule) => {
          const npu = new NpuUnits(context, schedule);
          const groups = groupsOf(stack, graph, profile).filter(({ device }) => device === 'npu');
          return groups.flatMap(({ ops }) => npu.timeGroup(ops, graph)).reduce((sum, { ms }) => sum + ms, 0);
        });
        expect(Math.abs(closed - event), `${model.name} ${pass.rows}`).toBeLessThanOrEqual(0.1 * event);
      }
    }
  });

  it('is never slower than one unit at a time, and no unit is over 100 % busy', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 160 }), fc.integer({ min: 0, max: 600 }), (rows, prefix) => {
        const machine = machineFor(name, { shapes: { ...resolvePreset('qwen3-0.6b'), layers: 2 } });
        const { endMs, busyMs } = machine.timePass(shape(rows, prefix));
        const busy = Object.entries(busyMs).filter(([name]) => name !== 'dram');
        for (const [name, ms] of busy) expect(ms, name).toBeLessThanOrEqual(endMs * (1 + 1e-9));
        // CPU time is the average over 8 cores, of which at least 4 work.
        const serialMs = busy.reduce((sum, [name, ms]) => sum + (name === 'cpu' ? 2 * ms : ms), 0);
        expect(endMs).toBeLessThanOrEqual(serialMs * (1 + 1e-9));
      }),
      { numRuns: 12 },
    );
  });

  it('does not get slower with faster hardware', () => {
    const stack = stackByName(name);
    const baseMs = machineFor(name).timePass(shape(48, 100)).endMs;
    const profile = loadProfile('sm8750');
    for (const faster of [
      { ...profile, npu: { ...profile.npu, dmaRate: 60 } },
      { ...profile, npu: { ...profile.npu, dmaBulkRate: 75 } },
      { ...profile, npu: { ...profile.npu, dmaQueuesRate: 75 } },
      { ...profile, npu: { ...profile.npu, dmaBypassRate: 70, dmaQueuesRate: 70 } },
      { ...profile, npu: { ...profile.npu, directReadRate: 40 } },
      { ...profile, npu: { ...profile.npu, matrixMacsPerCycle: 8192 } },
      { ...profile, npu: { ...profile.npu, vectorThreads: 8 } },
    ]) {
      const ms = machineFor(name, { profile: faster, stack }).timePass(shape(48, 100)).endMs;
      expect(ms).toBeLessThanOrEqual(baseMs * (1 + 1e-9));
    }
  });
});

describe('llama.cpp-hexagon', () => {
  it('switches from vector threads to the matrix unit at 4 rows', () => {
    const macs = (rows: number) => machineFor('llama.cpp-hexagon').timePass(shape(rows)).counters.matrixMacs;
    expect(macs(3)).toBe(0);
    expect(macs(4)).toBeGreaterThan(0);
    expect(machineFor('llama.cpp-hexagon@2025-12').timePass(shape(64)).counters.matrixMacs).toBe(0);
  });

  it('decodes a weight once for all rows that fit on chip: 128 rows cost far less than 4 times 32', () => {
    const machine = machineFor('llama.cpp-hexagon', { shapes: resolvePreset('qwen3-4b') });
    machine.timePass(shape(32));
    const one = partMs(machine, 'NPU up');
    machine.timePass(shape(128));
    expect(partMs(machine, 'NPU up')).toBeLessThan(2.5 * one);
  });

  it('streams the weights again when the rows no longer fit', () => {
    const model = resolvePreset('qwen3-4b');
    const bytes = (rows: number) =>
      machineFor('llama.cpp-hexagon', { shapes: model }).timePass(shape(rows, 0, 1)).counters.dmaBytes ?? 0;
    const [few, many] = [bytes(128), bytes(512)];
    const activations = 512 * 36 * (2560 * 8 + 9728 * 3 + 4096 * 4 + 1024 * 4) * 4;
    expect(many).toBeGreaterThan(1.3 * few);
    expect(many).toBeLessThan(5 * few + activations);
  });

  it('sends a pass in batches of at most 1024 operators', () => {
    const timing = machineFor('llama.cpp-hexagon').timePass(shape(8));
    expect(timing.counters.dispatches).toBe(1);
    const stack = overrideStack(stackByName('llama.cpp-hexagon'), { batchOps: '100' });
    expect(stack.numbers.batchOps).toBe(100);
  });

  it('spreads a model over sessions from V75 on, and maps on demand below', () => {
    const model = resolvePreset('llama-3.1-8b');
    const run = (profile: string) => {
      const machine = machineFor('llama.cpp-hexagon', {
        shapes: model,
        memory: 'on-demand' as const,
        profile: loadProfile(profile),
      });
      machine.timePass(shape(32));
      return machine.timePass(shape(32)).counters;
    };
    expect(run('sm8750')).toMatchObject({ mapOps: 0, dispatches: 2 });
    // Every mapping ends a batch, but that of the first operator, before which there is none.
    const small = run('sm8550');
    expect(small.mapOps).toBeGreaterThan(1);
    const more = (small.dispatches ?? 0) - (small.mapOps ?? 0);
    expect([0, 1]).toContain(more);
  });
});

describe('nntrainer', () => {
  it('leaves one row to the CPU but for the experts', () => {
    const model = resolvePreset('lfm2.5-8b-a1b');
    const parts = (rows: number) => {
      const machine = machineFor('nntrainer', { shapes: model });
      machine.timePass(shape(rows, 100, 1));
      return machine.stepBreakdown().parts.map(({ name }) => name);
    };
    expect(parts(1)).toContain('NPU moe');
    expect(parts(1)).not.toContain('NPU o');
    expect(parts(64)).toContain('NPU o');
  });
});

describe('qnn', () => {
  it('prefetches across operators: the chain is shorter than its operators alone', () => {
    const chained = machineFor('qnn').timePass(shape(1, 200)).endMs;
    const alone = { ...stackByName('qnn'), activationsIn: 'dram' as const };
    expect(chained).toBeLessThan(machineFor('qnn', { stack: alone }).timePass(shape(1, 200)).endMs);
  });

  it('is padded to 32 rows of 16 bits or 64 of 8', () => {
    const at = (rows: number, name = 'qnn') => {
      const machine = machineFor(name);
      const { counters } = machine.timePass(shape(rows, 0, 1));
      return counters.usefulRowFraction;
    };
    expect(at(64)).toBe(1);
    expect(at(65)).toBe(65 / 96);
    expect(at(64, 'qnn-a8')).toBe(1);
    expect(at(65, 'qnn-a8')).toBe(65 / 128);
  });

  it('moves exactly the stored weights, the cache and the logits', () => {
    const model = resolvePreset('llama-3.2-1b');
    const pass = shape(1, 63);
    const machine = machineFor('qnn', { shapes: model });
    const { counters } = machine.timePass(pass);
    const stack = stackByName('qnn');
    const graph = graphFor(model, pass, precisionFor('q4_0'));
    const products = graph.ops.filter((op) => op.kind === 'matmul');
    // 8 bits a key or value.
    const kvBytes = 2 * 64 * model.kvHeads * model.headDim * model.layers;
    const logitBytes = model.vocab * 4;
    const weights = products.reduce((sum, op) => sum + opWeightBytes(graph, op, stack.numbers), 0);
    expect((counters.dmaBytes ?? 0) / (weights + kvBytes + logitBytes)).toBeCloseTo(1, 3);
  });

  it('takes one dispatch per context binary', () => {
    const dispatches = (model: string) =>
      machineFor('qnn', { shapes: resolvePreset(model) }).timePass(shape(1)).counters.dispatches;
    expect(dispatches('qwen3-0.6b')).toBe(1);
    expect(dispatches('llama-3.1-8b')).toBe(4);
  });
});
