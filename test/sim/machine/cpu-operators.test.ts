import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { dotMacsPerMs, elementBytesPerMs } from '../../../sim/machine/cpu-model.js';
import { moe } from '../../../sim/machine/lower/moe.js';
import { stateMix } from '../../../sim/machine/lower/state-mix.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import type { MoeOp, OpGraph, StateMixOp } from '../../../src/model/graph.js';

const profile = loadProfile('sm8750');
const { numbers } = stackByName('cpu');
const tensor = (bytes: number, dtype = 'f32') => ({ bytes, dtype });
const graph = {
  tensors: new Map(
    Object.entries({ in: tensor(100), out: tensor(50), w: tensor(4000, 'q4_0'), taps: tensor(20) }),
  ),
} as unknown as OpGraph;
const between = { id: 'op', layer: 0, inputs: ['in'], outputs: ['out'] };

describe('operators on CPU cores', () => {
  it('read of routed experts those that they reach', () => {
    const op = { ...between, kind: 'moe', weights: ['w'], macs: 3000, experts: 4, expertsPerToken: 2 };
    const work = (rows: number) => moe.cpu({ ...op, rows } as unknown as MoeOp, graph, profile, numbers);
    // One row reaches 2 of 4; two rows 3 on average.
    expect(work(1)).toEqual({ singleThreadMs: 3000 / dotMacsPerMs(profile, 'q4_0'), bytes: 150 + 2000 });
    expect(work(2).bytes).toBe(150 + 3000);
  });

  it('read a state and write it', () => {
    const op = { ...between, kind: 'state-mix', weights: ['taps'], macs: 0, stateBytes: 1000 };
    const bytes = 170 + 2 * 1000;
    expect(stateMix.cpu(op as unknown as StateMixOp, graph, profile, numbers)).toEqual({
      singleThreadMs: bytes / elementBytesPerMs(profile),
      bytes,
    });
  });
});
