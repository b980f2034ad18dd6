import type { Op, OpGraph } from '../../../src/model/graph.js';
import type { HardwareProfile } from '../../hardware/schema.js';
import type { StackNumbers } from '../../stacks/numbers.js';
import type { SoftwareStack } from '../../stacks/stack.js';
import type { CpuWork } from '../cpu-model.js';
import type { Kernel, LowerContext } from '../kernel.js';

/** How one kind of operator becomes work. */
export interface OperatorRule<O extends Op> {
  /** All that `npu` looks at but the output tensor: equal keys are equal work on a given machine. */
  key(op: O, graph: OpGraph): string;
  /** Work on the NPU's units. No kind is free. */
  npu(op: O, graph: OpGraph, context: LowerContext): Kernel;
  /** Work on CPU cores. */
  cpu(op: O, graph: OpGraph, profile: HardwareProfile, numbers: StackNumbers): CpuWork;
  /** Operators of the stack that this one stands for. @defaultValue 1 */
  starts?(stack: SoftwareStack): number;
}
