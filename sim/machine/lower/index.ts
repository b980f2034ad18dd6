import type { Op, OpGraph, OpKind } from '../../../src/model/graph.js';
import type { HardwareProfile } from '../../hardware/schema.js';
import type { StackNumbers } from '../../stacks/numbers.js';
import type { SoftwareStack } from '../../stacks/stack.js';
import type { CpuWork } from '../cpu-model.js';
import type { Kernel, LowerContext } from '../kernel.js';
import { add } from './add.js';
import { attention } from './attention.js';
import { embed } from './embed.js';
import { gatherRows } from './gather-rows.js';
import { gelu } from './gelu.js';
import { layernorm } from './layernorm.js';
import { matmul } from './matmul.js';
import { moe } from './moe.js';
import { rmsnorm } from './rmsnorm.js';
import { rope } from './rope.js';
import type { OperatorRule } from './rule.js';
import { stateMix } from './state-mix.js';
import { swiglu } from './swiglu.js';
import { tensorOf } from './tensors.js';

/** One rule per kind of operator: a kind without one does not compile. */
const RULES: { readonly [K in OpKind]: OperatorRule<Extract<Op, { kind: K }>> } = {
  embed,
  rmsnorm,
  layernorm,
  matmul,
  rope,
  attention,
  swiglu,
  gelu,
  add,
  'gather-rows': gatherRows,
  moe,
  'state-mix': stateMix,
};

function ruleOf(op: Op): OperatorRule<Op> {
  return RULES[op.kind] as OperatorRule<Op>;
}

/** Turns one operator into work on the NPU's units. */
export function lower(op: Op, graph: OpGraph, context: LowerContext): Kernel {
  return ruleOf(op).npu(op, graph, context);
}

/** Turns one operator into work on CPU cores. */
export function cpuWork(op: Op, graph: OpGraph, profile: HardwareProfile, numbers: StackNumbers): CpuWork {
  const { singleThreadMs, bytes } = ruleOf(op).cpu(op, graph, profile, numbers);
  const together = op.macs > 0 && op.kind !== 'attention' ? 1 : rowsTogether(graph.shape.rows, numbers);
  return { singleThreadMs: singleThreadMs / together / numbers.cpuSustained, bytes };
}

/** Rows from which kernels that handle several together gain. */
const FEW_ROWS = 4;

/** How much faster several rows go than one after the other. */
export function rowsTogether(rows: number, { rowsSpeedup }: StackNumbers): number {
  return rows >= FEW_ROWS ? rowsSpeedup : 1;
}

/** Operators with equal keys are equal work on a given machine: what lowering looks at is in the key. */
export function kernelKey(op: Op, graph: OpGraph): string {
  const { bytes, consumers } = tensorOf(graph, op.outputs[0]);
  return `${op.kind}:${ruleOf(op).key(op, graph)}>${bytes}${consumers.length === 0 ? '!' : ''}`;
}

/** Operators of the stack that one of the graph stands for. */
export function operatorStarts(op: Op, stack: SoftwareStack): number {
  return ruleOf(op).starts?.(stack) ?? 1;
}
