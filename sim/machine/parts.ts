import type { MatMulRole, Op, OpKind } from '../../src/model/graph.js';

/** How reports group operators. */
export type OpLabel = MatMulRole | Exclude<OpKind, 'matmul'>;

/** Where an operator runs, as reports say it. */
export type Place = 'NPU' | 'CPU' | 'GPU';

/** What the driver spends time on. */
export type DriverPart = 'dispatch' | 'cache maintenance' | 'operator start' | 'mapping';

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
