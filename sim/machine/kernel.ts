import type { AttentionOp, MatMulOp, MoeOp, Op, OpGraph } from '../../src/model/graph.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { lowerAttention } from './lower-attention.js';
import { tensorOf } from './lower-common.js';
import { lowerMatMul, lowerMoe } from './lower-matmul.js';
import { lowerVector } from './lower-vector.js';
import type { Pipeline } from './pipeline.js';
import type { Rates } from './rates.js';

/** What an operator on the NPU amounts to before it is scheduled. */
export interface Kernel {
  /** One after the other, all of them `repeats` times. */
  readonly pipelines: readonly Pipeline[];
  readonly repeats: number;
  /** Bytes moved by DMA and by direct reads and writes. */
  readonly dmaBytes: number;
  readonly l2Bytes: number;
  /** Multiply-accumulates the matrix unit performs, padding included. */
  readonly matrixMacs: number;
  readonly tcmPeakBytes: number;
}

/** Everything lowering looks at. */
export interface LowerContext {
  readonly profile: HardwareProfile;
  readonly stack: SoftwareStack;
  readonly rates: Rates;
}

/** Turns one operator into work on the NPU's units. Every kind has its own rule; none is free. */
export function lower(op: Op, graph: OpGraph, context: LowerContext): Kernel {
  switch (op.kind) {
    case 'matmul':
      return lowerMatMul(op, graph, context);
    case 'moe':
      return lowerMoe(op, graph, context);
    case 'attention':
      return lowerAttention(op, graph, context);
    case 'rmsnorm':
    case 'rope':
    case 'swiglu':
    case 'add':
    case 'embed':
    case 'gather-rows':
    case 'state-mix':
      return lowerVector(op, graph, context);
  }
}

/** Operators with equal keys are equal work on a given machine: what lowering looks at is in the key. */
export function kernelKey(op: Op, graph: OpGraph): string {
  const { bytes, consumers } = tensorOf(graph, op.outputs[0]);
  return `${workKey(op, graph)}>${bytes}${consumers.length === 0 ? '!' : ''}`;
}

function workKey(op: Op, graph: OpGraph): string {
  switch (op.kind) {
    case 'matmul':
      return matMulKey(op, graph);
    case 'moe':
      return moeKey(op, graph);
    case 'attention':
      return attentionKey(op, graph);
    case 'rope':
      return `rope:${op.rows}:${op.heads * op.headDim}`;
    case 'state-mix':
      return `${op.mixer}:${op.rows}:${op.width}:${op.macs}:${op.stateBytes}`;
    case 'rmsnorm':
      return `rmsnorm:${op.rows}:${op.width}:${op.groups}`;
    case 'swiglu':
    case 'add':
    case 'embed':
    case 'gather-rows':
      return `${op.kind}:${op.rows}:${op.width}`;
  }
}

function matMulKey(op: MatMulOp, graph: OpGraph): string {
  const weight = graph.tensors.get(op.weights[0] ?? '');
  return `matmul:${op.rows}:${op.inWidth}:${op.outWidth}:${weight?.dtype}`;
}

function moeKey(op: MoeOp, graph: OpGraph): string {
  const { rows, width, experts, expertsPerToken, expertFfn } = op;
  return `moe:${rows}:${width}:${experts}:${expertsPerToken}:${expertFfn}:${graph.precision.weights}`;
}

function attentionKey(op: AttentionOp, graph: OpGraph): string {
  return `attention:${op.rows}:${op.keys}:${op.heads}:${op.kvHeads}:${op.headDim}:${graph.precision.kv}`;
}
