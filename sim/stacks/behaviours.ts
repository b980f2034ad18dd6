import type { Op, OpGraph } from '../../src/model/graph.js';
import type { HardwareProfile } from '../hardware/schema.js';
import { layoutShare } from './layout.js';
import type { StackNumbers } from './numbers.js';

/** What runs operators. */
export type Device = 'npu' | 'cpu' | 'gpu';

/** Operators handed to a device in one dispatch. */
export interface DispatchGroup {
  readonly device: Device;
  readonly ops: readonly Op[];
}

type Place = (op: Op, graph: OpGraph) => Device;

const onNpu: Place = ({ kind }) => (kind === 'matmul' || kind === 'moe' ? 'npu' : 'cpu');

/** What runs where. */
export const PLACEMENTS = {
  'all-cpu': () => 'cpu',
  /** Operators outside the layer stack (embedding, head and its norm) stay off the NPU's address window. */
  'layers-npu': ({ layer }) => (layer === null ? 'cpu' : 'npu'),
  /** The same where the runtime cannot put attention on the NPU. */
  'layers-npu-but-attention': ({ layer, kind }) => (layer === null || kind === 'attention' ? 'cpu' : 'npu'),
  'embedding-cpu-rest-npu': ({ kind }) => (kind === 'embed' ? 'cpu' : 'npu'),
  'embedding-cpu-rest-gpu': ({ kind }) => (kind === 'embed' ? 'cpu' : 'gpu'),
  /** The matrices of a layer stack. */
  'products-npu': onNpu,
  /** A single row is faster on the CPU but for routed experts. */
  'products-npu-but-one-row': (op, graph) =>
    op.kind === 'matmul' && graph.shape.rows === 1 ? 'cpu' : onNpu(op, graph),
} as const satisfies Readonly<Record<string, Place>>;

/** The first architecture on which llama.cpp uses more than one session. */
const FIRST_WITH_SESSIONS = 75;

/** Weights of one context binary: 3-8B models are cut into about four (ExecuTorch, Genie, PowerServe). */
const SHARD_BYTES = 2 ** 30;

/** How many NPU processes share the layers, from the bytes of all weights on the NPU. */
export const SESSIONS = {
  one: () => 1,
  /** GGML_HEXAGON_NDEV 1, 2, 4: the fewest whose windows hold the weights; one below V75. */
  'hexagon-devices': (weightBytes, { npuArch, window }) => {
    if (Number(npuArch.replace(/\D/g, '')) < FIRST_WITH_SESSIONS) return 1;
    return [1, 2, 4].find((count) => weightBytes <= 0.9 * count * window.bytes) ?? 4;
  },
  'shards-of-1-gib': (weightBytes) => Math.max(1, Math.ceil(weightBytes / SHARD_BYTES)),
} as const satisfies Readonly<Record<string, (weightBytes: number, profile: HardwareProfile) => number>>;

/** What a grouping looks at beside the graph. */
interface Batching {
  readonly numbers: StackNumbers;
  /** @param weightBytes of all operators on the NPU */
  sessions(weightBytes: number): number;
}

type Grouping = (graph: OpGraph, place: (op: Op) => Device, stack: Batching) => DispatchGroup[];

/** How operators are put into dispatches. */
export const GROUPINGS = {
  'per-operator': (graph, place) => graph.ops.map((op) => ({ device: place(op), ops: [op] })),
  /**
   * Consecutive operators of a device joined into dispatches of at most `batchOps`. Layers are spread evenly over
   * the sessions in order, and a dispatch stays within one session.
   */
  batches: (graph, place, stack) => {
    let weightBytes = 0;
    for (const op of graph.ops)
      if (place(op) === 'npu') weightBytes += opWeightBytes(graph, op, stack.numbers);
    const sessions = stack.sessions(weightBytes);
    const layers = 1 + graph.ops.reduce((most, op) => Math.max(most, op.layer ?? 0), 0);
    const groups: { device: Device; ops: Op[]; session: number }[] = [];
    for (const op of graph.ops) {
      const device = place(op);
      const open = groups.at(-1);
      // The head lives in the last session.
      const session = op.layer === null ? sessions - 1 : Math.floor((op.layer * sessions) / layers);
      const joins = open?.device === device && (device === 'cpu' || open.session === session);
      if (open !== undefined && joins && open.ops.length < stack.numbers.batchOps) open.ops.push(op);
      else groups.push({ device, ops: [op], session });
    }
    return groups;
  },
} as const satisfies Readonly<Record<string, Grouping>>;

/** Bytes of the weights that an operator names, in the stack's layout. */
export function opWeightBytes(
  graph: OpGraph,
  op: Op,
  layout: Pick<StackNumbers, 'q4Layout' | 'q8Layout'>,
): number {
  let bytes = 0;
  for (const id of op.weights) {
    const tensor = graph.tensors.get(id);
    if (tensor === undefined) continue;
    bytes += tensor.bytes * layoutShare(tensor.dtype, layout);
  }
  return bytes;
}
