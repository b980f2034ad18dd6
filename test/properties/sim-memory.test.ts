import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryContext } from '../../sim/machine/memory-context.js';
import { NpuUnits } from '../../sim/machine/npu-unit.js';
import { ratesOf } from '../../sim/machine/rates.js';
import { AddressWindow } from '../../sim/memory/address-window.js';
import { type LimitedMode, memoryFactory } from '../../sim/memory/create-memory.js';
import { type MemoryContext, scratchBytes } from '../../sim/memory/regions.js';
import type { MemoryRuntime, Readiness, SlotUse } from '../../sim/memory/runtime.js';
import { SomrMemory } from '../../sim/memory/somr.js';
import type { PlacementReading } from '../../sim/memory/somr-plan.js';
import { stackByName } from '../../sim/stacks/registry.js';
import type { Op } from '../../src/model/graph.js';
import { graphFor } from '../../src/model/graph-cache.js';
import { precisionFor } from '../../src/model/precision.js';
import { profileOf, RUNS, type Scenario, scenarios } from './sim-arbitraries.js';

const lladaCpp = stackByName('llada.cpp');

const precision = precisionFor('q4_0');

const runtimes = fc.constantFrom<{ mode: LimitedMode; placement?: PlacementReading }>(
  { mode: 'on-demand' },
  { mode: 'paging' },
  { mode: 'somr', placement: 'global' },
  { mode: 'somr', placement: 'alternating' },
);

/** What came before a pass or an operator, and how long that took. */
interface Wait extends Readiness {
  readonly startMs: number;
}

interface Dispatch {
  readonly pass: number;
  readonly op: Op;
  readonly memory: MemoryRuntime;
}

/** Plays the passes of a scenario against a runtime, calling `check` when each operator is dispatched. */
function play(
  scenario: Scenario,
  { mode, placement }: { mode: LimitedMode; placement?: PlacementReading },
  check: (dispatch: Dispatch) => void,
): { uses: SlotUse[]; context: MemoryContext; waits: Wait[] } {
  const profile = profileOf(scenario);
  const { model } = scenario;
  const chip = { profile, stack: lladaCpp, model, precision };
  const rates = ratesOf(profile, mode === 'somr');
  const npu = new NpuUnits({ profile, stack: lladaCpp, rates }, 'closed-form');
  const context = memoryContext(chip, rates, npu);
  const memory = memoryFactory(mode, context, placement)();
  const uses: SlotUse[] = [];
  const waits: Wait[] = [];
  let nowMs = 0;
  const wait = (ready: Readiness): void => {
    waits.push({ ...ready, startMs: nowMs });
    nowMs = ready.readyMs;
  };
  // Twice over the same shapes, so that state carried across passes matters.
  [...scenario.shapes, ...scenario.shapes].forEach((shape, pass) => {
    const graph = graphFor(model, shape, precision);
    const ops = graph.ops.filter((op) => op.layer !== null);
    const positions = shape.kvSets.reduce((sum, set) => sum + set.length, shape.rows);
    const placed = { rows: shape.rows, positions, ops, scratchBytes: () => scratchBytes(graph, ops) };
    wait(memory.beginPass(placed, nowMs));
    ops.forEach((op, index) => {
      wait(memory.before(index, nowMs));
      check({ pass, op, memory });
      nowMs += npu.time(op, graph).ms;
      memory.after(index, nowMs);
    });
    uses.push(...memory.endPass(nowMs));
  });
  return { uses, context, waits };
}

describe('Memory laws', () => {
  it('M1 mapped bytes never exceed the window, M4 operands are mapped at dispatch', () => {
    fc.assert(
      fc.property(scenarios, runtimes, (scenario, runtime) => {
        const { bytes } = profileOf(scenario).window;
        play(scenario, runtime, ({ op, memory }) => {
          expect(memory.windowBytes).toBeLessThanOrEqual(bytes);
          for (const weight of op.weights) {
            expect(memory.addressOf(weight), `${weight} at ${op.id}`).not.toBeNull();
          }
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('weights an operator reads lie in what is mapped, and never overlap each other', () => {
    fc.assert(
      fc.property(scenarios, runtimes, (scenario, runtime) => {
        const graph = graphFor(
          scenario.model,
          { rows: 1, kvSets: [], logitsRows: 1, masked: false },
          precision,
        );
        play(scenario, runtime, ({ op, memory }) => {
          const ranges = op.weights
            .map((id) => ({ start: memory.addressOf(id) ?? -1, bytes: graph.tensors.get(id)?.bytes ?? 0 }))
            .sort((a, b) => a.start - b.start);
          // Each lies within one mapping, to its last byte.
          const mapped = memory.map()?.mapped;
          for (const { start, bytes } of mapped === undefined ? [] : ranges)
            expect(
              mapped?.some(({ address, bytes: room }) => address <= start && start + bytes <= address + room),
              op.id,
            ).toBe(true);
          ranges.slice(1).forEach((range, at) => {
            const before = ranges[at];
            expect((before?.start ?? 0) + (before?.bytes ?? 0)).toBeLessThanOrEqual(range.start);
          });
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('time before an operator is mapping, at its price, and waiting for copies: all of it is accounted for', () => {
    fc.assert(
      fc.property(scenarios, runtimes, (scenario, runtime) => {
        const { waits, context } = play(scenario, runtime, () => {});
        const { mapFixedMs, mapMsPerByte } = context.costs;
        for (const { startMs, readyMs, mapMs, mapOps, mappedBytes, stallMs } of waits) {
          expect(readyMs - startMs).toBeCloseTo(mapMs + stallMs, 6);
          expect(stallMs).toBeGreaterThanOrEqual(0);
          expect(mapOps > 0).toBe(mappedBytes > 0);
          if (mappedBytes === 0) {
            expect(mapMs).toBe(0);
            continue;
          }
          // Several buffers may come with one call of the driver.
          expect(mapMs).toBeGreaterThanOrEqual(mapFixedMs + mapMsPerByte * mappedBytes - 1e-9);
          expect(mapMs).toBeLessThanOrEqual(mapFixedMs * mapOps + mapMsPerByte * mappedBytes + 1e-9);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('M2 a staging slot is never written while read or while another copy writes it', () => {
    fc.assert(
      fc.property(scenarios, runtimes, (scenario, runtime) => {
        const { uses } = play(scenario, runtime, () => {});
        for (const slot of [0, 1]) {
          const own = uses.filter((use) => use.slot === slot && use.endMs > use.startMs);
          own.sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
          own.slice(1).forEach((use, at) => {
            expect(use.startMs).toBeGreaterThanOrEqual((own[at]?.endMs ?? 0) - 1e-9);
          });
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('M3 residents keep their address across steps until the KV cache grows', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const addresses = new Map<string, number>();
        let plan: unknown = null;
        play(scenario, { mode: 'somr', placement: 'global' }, ({ op, memory }) => {
          if (!(memory instanceof SomrMemory)) return;
          if (memory.currentPlan !== plan) addresses.clear();
          plan = memory.currentPlan;
          for (const weight of op.weights) {
            if (memory.map().staged.some(({ tensors }) => tensors.includes(weight))) continue;
            const address = memory.addressOf(weight) ?? -1;
            expect(addresses.get(weight) ?? address).toBe(address);
            addresses.set(weight, address);
          }
        });
      }),
      { numRuns: RUNS },
    );
  });
});

describe('Address window', () => {
  const limits = { bytes: 1 << 20, alignmentBytes: 4096, mapperEntries: 12, maxMapBytes: 1 << 19 };
  const actions = fc.array(
    fc.oneof(
      fc.record({ map: fc.integer({ min: 1, max: limits.maxMapBytes }) }),
      fc.record({ unmap: fc.nat({ max: 20 }) }),
    ),
    { maxLength: 60 },
  );

  it('never overlaps, overflows or forgets, whatever is mapped and unmapped', () => {
    fc.assert(
      fc.property(actions, (list) => {
        const window = new AddressWindow(limits);
        const live = new Map<string, { address: number; bytes: number }>();
        list.forEach((action, at) => {
          if ('map' in action) {
            const couldFit = window.fits(action.map);
            const address = window.map(`m${at}`, action.map);
            expect(address !== null).toBe(couldFit);
            if (address === null) return;
            const bytes = Math.ceil(action.map / limits.alignmentBytes) * limits.alignmentBytes;
            expect(address % limits.alignmentBytes).toBe(0);
            for (const other of live.values()) {
              expect(address + bytes <= other.address || other.address + other.bytes <= address).toBe(true);
            }
            live.set(`m${at}`, { address, bytes });
          } else {
            const id = [...live.keys()][action.unmap];
            if (id === undefined) return;
            window.unmap(id);
            live.delete(id);
          }
          const sum = [...live.values()].reduce((total, mapping) => total + mapping.bytes, 0);
          expect(window.mappedBytes).toBe(sum);
          expect(window.mappedBytes).toBeLessThanOrEqual(limits.bytes);
          expect(window.entries).toBeLessThanOrEqual(limits.mapperEntries);
          expect(window.largestFreeBytes).toBeLessThanOrEqual(limits.bytes - sum);
          expect(window.fragmentation).toBeGreaterThanOrEqual(0);
        });
      }),
      { numRuns: RUNS },
    );
  });
});
