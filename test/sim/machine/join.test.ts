import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { machine as openMachine } from '../../../sim/open-machine.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { resolvePreset } from '../../../src/model/presets.js';
import type { Pass, StepPlan } from '../../../src/pass/pass.js';

const machine = () =>
  openMachine({
    profile: loadProfile('sm8750'),
    stack: stackByName('llada.cpp'),
    quant: 'q4_0',
    shapes: { ...resolvePreset('llada-8b'), layers: 2 },
    memory: 'unlimited',
  });

const pass = (id: string, lane: Pass['lane'], rows: number): Pass => ({
  id,
  lane,
  kind: lane === 'main' ? 'denoise' : 'refresh',
  version: 1,
  reads: [],
  visibility: 'all',
  rows: Array.from({ length: rows }, (_, position) => ({ position, feed: 7 })),
  logits: [0],
});

const plan = (joins: boolean): StepPlan => ({
  step: 0,
  block: 0,
  joins,
  passes: [pass('0.0', 'main', 32), ...[1, 2, 3, 4, 5, 6, 7, 8].map((at) => pass(`0.${at}`, 'side', 8))],
});

describe('a plan that joins', () => {
  it('ends when its side passes do, and the next step begins there', () => {
    const free = machine().time(plan(false));
    const waiting = machine();
    const joined = waiting.time(plan(true));
    expect(free.completed.length).toBeLessThan(8);
    expect(joined.completed).toHaveLength(8);
    expect(joined.endMs).toBeGreaterThan(free.endMs);
    expect(waiting.time({ ...plan(false), step: 1 }).startMs).toBe(joined.endMs);
  });

  it('leaves nothing under way on a machine that is reset', () => {
    const used = machine();
    expect(used.time(plan(false)).counters.refreshesInFlight).toBeGreaterThan(0);
    used.reset();
    const { completed, counters } = used.time({ ...plan(false), passes: plan(false).passes.slice(0, 1) });
    expect([completed, counters.refreshesInFlight]).toEqual([[], 0]);
  });

  it('keeps DRAM busy for all bytes of the step, those of side passes too', () => {
    const { busyMs, counters } = machine().time(plan(false));
    expect(busyMs.dram).toBeCloseTo(
      counters.dramBytes / (loadProfile('sm8750').dram.achievableRate * 1e6),
      6,
    );
    const alone = machine().time({ ...plan(false), passes: plan(false).passes.slice(0, 1) });
    expect(counters.dramBytes).toBeGreaterThan(alone.counters.dramBytes);
  });
});
