import type { Op, OpGraph } from '../../src/model/graph.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { Device, DispatchGroup, SoftwareStack } from './stack.js';

type Layout = Pick<SoftwareStack['numbers'], 'q4Layout' | 'q8Layout'>;

/** Bytes of the weights that an operator names, in the stack's layout. */
export function opWeightBytes(graph: OpGraph, op: Op, { q4Layout, q8Layout }: Layout): number {
  let bytes = 0;
  for (const id of op.weights) {
    const tensor = graph.tensors.get(id);
    if (tensor === undefined) continue;
    bytes += tensor.bytes * (tensor.dtype === 'q4_0' ? q4Layout : tensor.dtype === 'q8_0' ? q8Layout : 1);
  }
  return bytes;
}

/**
 * Consecutive operators of a device joined into dispatches of at most `batchOps`. Layers are spread evenly over
 * the sessions in order, and a dispatch stays within one session.
 */
export function groupInBatches(
  graph: OpGraph,
  profile: HardwareProfile,
  stack: Pick<SoftwareStack, 'numbers' | 'sessions'>,
  place: (op: Op) => Device,
): DispatchGroup[] {
  let weightBytes = 0;
  for (const op of graph.ops) if (place(op) === 'npu') weightBytes += opWeightBytes(graph, op, stack.numbers);
  const sessions = stack.sessions(weightBytes, profile);
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
}
