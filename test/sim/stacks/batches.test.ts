import { describe, expect, it } from 'vitest';
import { GROUPINGS } from '../../../sim/stacks/behaviours.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import type { Op, OpGraph } from '../../../src/model/graph.js';

/** Operators of these layers, without weights. */
const graphOf = (layers: readonly (number | null)[]) =>
  ({
    tensors: new Map(),
    ops: layers.map((layer, at) => ({ id: `op ${at}`, layer, weights: [] })),
  }) as unknown as OpGraph;

const batches = (graph: OpGraph, batchOps: number, place: (op: Op) => 'npu' | 'cpu', sessions = 1) =>
  GROUPINGS.batches(graph, place, {
    numbers: { ...stackByName('llada.cpp').numbers, batchOps },
    sessions: () => sessions,
  }).map(({ device, ops }) => [device, ops.length]);

describe('batches of operators', () => {
  it('hold as many as their limit, and no more', () => {
    const five = graphOf([0, 0, 0, 0, 0]);
    expect(batches(five, 2, () => 'npu')).toEqual([
      ['npu', 2],
      ['npu', 2],
      ['npu', 1],
    ]);
    expect(batches(five, 5, () => 'npu')).toEqual([['npu', 5]]);
  });

  it('end where the processor changes, or the session of the next layer', () => {
    const four = graphOf([0, 0, 1, null]);
    expect(batches(four, 9, ({ layer }) => (layer === 1 ? 'cpu' : 'npu'))).toEqual([
      ['npu', 2],
      ['cpu', 1],
      ['npu', 1],
    ]);
    // The head is in the session of the last layer.
    expect(batches(four, 9, () => 'npu', 2)).toEqual([
      ['npu', 2],
      ['npu', 2],
    ]);
    expect(batches(four, 9, () => 'cpu', 2)).toEqual([['cpu', 4]]);
  });
});
