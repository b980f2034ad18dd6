import type { MatMulRole, Op, OpKind } from '../../src/model/graph.js';

/** How reports group operators. */
export type OpLabel = MatMulRole | Exclude<OpKind, 'matmul'>;

/** Where an operator runs, as reports say it. */
export type Place = 'NPU' | 'CPU' | 'GPU';

/** What the host does between operators: it hands work over, and waits for nobody. */
export const HOST_PARTS = [
  'dispatch',
  'cache maintenance',
  'operator start',
  /** Building and scheduling the graph of a pass. */
  'host pass',
  /** From one device to another: the pass is cut. */
  'split',
  /** Results that the other device reads from memory of its own. */
  'copy',
  /** CPU threads that slept while another device worked. */
  'wake-up',
] as const;

/** What the driver spends time on. */
export type DriverPart = (typeof HOST_PARTS)[number] | 'mapping';

/** What the time of a pass is spent on. */
export type PartName =
  | `${Place} ${OpLabel}`
  | 'CPU sampling'
  | 'GPU finish'
  | DriverPart
  /** The NPU waits for a staging copy. */
  | 'staging wait';

export function opLabel(op: Op): OpLabel {
  return op.kind === 'matmul' ? op.role : op.kind;
}
