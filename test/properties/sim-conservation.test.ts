import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadProfile, overrideProfile } from '../../sim/hardware/load-profile.js';
import { ratesOf } from '../../sim/machine/rates.js';
import { machine as openMachine } from '../../sim/open-machine.js';
import { stackByName } from '../../sim/stacks/registry.js';
import type { SoftwareStack } from '../../sim/stacks/stack.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { OpGraph } from '../../src/model/graph.js';
import { graphFor } from '../../src/model/graph-cache.js';
import { precisionFor } from '../../src/model/precision.js';
import type { PassShape } from '../../src/pass/shape.js';
import { passShapes, RUNS, smallModel } from './sim-arbitraries.js';

const lladaCpp = stackByName('llada.cpp');

const precision = precisionFor('q4_0');
const reuse: SoftwareStack = { ...lladaCpp, weightReuse: 'all-tiles' };

/** Without fixed latency and contention, busy time of DMA is bytes over rate and nothing else. */
const profile = overrideProfile(loadProfile('sm8750'), {
  'npu.dmaLatency': '0 us',
  'npu.dmaRateBesideMatrix': '32 GB/s',
});

function time(model: ModelConfig, shape: PassShape, stack: SoftwareStack) {
  const machine = openMachine({ profile, stack, shapes: model, quant: 'q4_0', memory: 'unlimited' });
  return machine.timePass(shape);
}

/** DMA bytes a pass must move: weights once per row tile, or once, and every operand and result once. */
function plannedBytes(graph: OpGraph, tilesTogether: boolean): number {
  const bytes = (id: string | undefined): number => graph.tensors.get(id ?? '')?.bytes ?? 0;
  const elements = (id: string | undefined): number =>
    (graph.tensors.get(id ?? '')?.shape ?? [0]).reduce((product, extent) => product * extent, 1);
  let sum = 0;
  for (const op of graph.ops) {
    if (op.layer === null) continue;
    const tiles = Math.ceil(graph.shape.rows / 32);
    if (op.kind === 'matmul') {
      sum += bytes(op.weights[0]) * (tilesTogether ? 1 : tiles);
      sum += 2 * (elements(op.inputs[0]) + elements(op.outputs[0]));
    } else if (op.kind === 'attention') {
      sum += tiles * 2 * op.keys * op.kvHeads * op.headDim * 2;
      sum += 2 * (elements(op.inputs[0]) + elements(op.outputs[0]));
    }
  }
  return sum;
}

describe('Conservation', () => {
  it('bytes moved are the bytes planned, and busy time is work over rate', () => {
    const rates = ratesOf(profile, false);
    fc.assert(
      fc.property(smallModel, passShapes, fc.constantFrom(lladaCpp, reuse), (config, shape, stack) => {
        // Routed experts move what the routing decides; they have their own test.
        const { moe: _moe, ...model } = config;
        const { busyMs, counters } = time(model, shape, stack);
        const graph = graphFor(model, shape, precision);
        expect(counters.dmaBytes).toBeCloseTo(plannedBytes(graph, stack === reuse), 3);
        expect((busyMs.dma ?? 0) * rates.dmaBytesPerMs).toBeCloseTo(counters.dmaBytes ?? 0, 3);
        expect((busyMs.matrix ?? 0) * rates.matrixMacsPerMs).toBeCloseTo(counters.matrixMacs ?? 0, 3);
        expect((busyMs.dram ?? 0) * rates.dramBytesPerMs).toBeCloseTo(counters.dramBytes ?? 0, 3);
        expect(counters.usefulMacs ?? 0).toBeLessThanOrEqual(counters.matrixMacs ?? 0);
      }),
      { numRuns: RUNS },
    );
  });

  it('reusing decoded weights across row tiles never takes longer than decoding them again', () => {
    fc.assert(
      fc.property(smallModel, passShapes, (config, shape) => {
        const { moe: _moe, ...model } = config;
        const again = time(model, shape, lladaCpp);
        const once = time(model, shape, reuse);
        expect(once.counters.dmaBytes ?? 0).toBeLessThanOrEqual(again.counters.dmaBytes ?? 0);
        expect(once.busyMs.vector ?? 0).toBeLessThanOrEqual((again.busyMs.vector ?? 0) * (1 + 1e-9));
      }),
      { numRuns: RUNS },
    );
  });
});
