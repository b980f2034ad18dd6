import type { Op, OpGraph } from '../../src/model/graph.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { Device, DispatchGroup, SoftwareStack } from './stack.js';

/** Bytes of the weights that operators on the NPU name, in the stack's layout. */
export function npuWeightBytes(
  graph: OpGraph,
  ops: readonly Op[],
  layout: Pick<SoftwareStack['numbers'], 'q4Layout' | 'q8Layout'>,
): number {
  const ids = new Set(ops.flatMap((op) => op.weights));
  let bytes = 0;
  for (const id of ids) {
    const tensor = graph.tensors.get(id);
    if (tensor === undefined) continue;
    const share = tensor.dtype === 'q4_0' ? layout.q4Layout : tensor.dtype === 'q8_0' ? layout.q8Layout : 1;
    bytes += tensor.bytes * share;
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
  const onNpu = graph.ops.filter((op) => place(op) === 'npu');
  const sessions = stack.sessions(npuWeightBytes(graph, onNpu, stack.numbers), profile);
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
