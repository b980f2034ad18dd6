import type { Op, OpGraph } from '../../src/model/graph.js';
import { GraphBuilder } from '../../src/model/graph-builder.js';
import { precisionFor, type Quant } from '../../src/model/precision.js';
import type { HardwareProfile } from '../hardware/schema.js';
import { NpuUnits, type Schedule } from '../machine/npu-unit.js';
import { ratesOf } from '../machine/rates.js';
import { groupsOf } from '../stacks/dispatch.js';
import type { SoftwareStack } from '../stacks/stack.js';

/** Time of one operator of a graph on the NPU, as a device measured it. */
export interface OpSample {
  readonly graph: OpGraph;
  readonly op: string;
  readonly us: number;
}

/** Operators that are timed as one, and which of the samples they are. */
interface Chain {
  readonly graph: OpGraph;
  readonly ops: readonly Op[];
}

/** Times the operators of samples again and again on chips that differ in their numbers. */
export class Predictor {
  /** Samples whose operator runs on the NPU. */
  readonly samples: readonly OpSample[];
  private readonly chains: readonly Chain[];

  constructor(
    all: readonly OpSample[],
    profile: HardwareProfile,
    private readonly stack: SoftwareStack,
  ) {
    const graphs = [...new Set(all.map(({ graph }) => graph))];
    this.chains = graphs.flatMap((graph) => {
      const wanted = new Set(all.filter((sample) => sample.graph === graph).map(({ op }) => op));
      return chainsOf(graph, profile, stack).filter(({ ops }) => ops.some(({ id }) => wanted.has(id)));
    });
    const known = new Map(graphs.map((graph) => [graph, new Set<string>()]));
    for (const { graph, ops } of this.chains) for (const { id } of ops) known.get(graph)?.add(id);
    this.samples = all.filter(({ graph, op }) => known.get(graph)?.has(op));
  }

  /** Times of `samples` in us, start of the operator not included. */
  times(profile: HardwareProfile, schedule: Schedule): number[] {
    const { stack } = this;
    const rates = ratesOf(profile, false, stack.weightStream);
    const npu = new NpuUnits({ profile, stack, rates }, schedule);
    const byGraph = new Map<OpGraph, Map<string, number>>();
    for (const { graph, ops } of this.chains) {
      const times = byGraph.get(graph) ?? new Map<string, number>();
      byGraph.set(graph, times);
      npu.timeGroup(ops, graph).forEach(({ ms }, at) => {
        times.set(ops[at].id, ms * 1000);
      });
    }
    return this.samples.map(({ graph, op }) => byGraph.get(graph)?.get(op) ?? Number.NaN);
  }
}

/** What of a pass is scheduled together: an operator alone, or those of a layer that hand results on in TCM. */
function chainsOf(graph: OpGraph, profile: HardwareProfile, stack: SoftwareStack): Chain[] {
  const groups = groupsOf(stack, graph, profile).filter(({ device }) => device === 'npu');
  if (stack.activationsIn === 'dram') {
    return groups.flatMap(({ ops }) => ops.map((op) => ({ graph, ops: [op] })));
  }
  return groups.flatMap(({ ops }) => {
    const layers = [...new Set(ops.map(({ layer }) => layer))];
    return layers.map((layer) => ({ graph, ops: ops.filter((op) => op.layer === layer) }));
  });
}

/** The graph of one matrix product, for profiles that name shapes and no model. */
export function productGraph(rows: number, inWidth: number, outWidth: number, quant: Quant): OpGraph {
  const builder = new GraphBuilder();
  const precision = precisionFor(quant);
  const shape = { rows, kvSets: [], logitsRows: 0, masked: false };
  builder.tensor('x', 'input', [rows, inWidth], precision.activations, 0);
  builder.tensor('w', 'weight', [outWidth, inWidth], precision.weights, 0);
  builder.tensor('y', 'activation', [rows, outWidth], precision.activations, 0);
  builder.op({
    id: 'product',
    kind: 'matmul',
    role: 'q',
    layer: 0,
    rows,
    inWidth,
    outWidth,
    bias: false,
    inputs: ['x'],
    weights: ['w'],
    outputs: ['y'],
    macs: rows * inWidth * outWidth,
    vectorElements: 0,
  });
  return builder.finish('product', shape, precision);
}
