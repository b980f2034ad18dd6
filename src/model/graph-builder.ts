import type { PassShape } from '../pass/shape.js';
import { bytesOf } from './dtype.js';
import type { DType, Op, OpGraph, Precision, TensorInfo, TensorRole } from './graph.js';

interface MutableTensor {
  readonly id: string;
  role: TensorRole;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly bytes: number;
  readonly layer: number | null;
  producer: string | null;
  readonly consumers: string[];
}

/** Collects tensors and operators in execution order and keeps producers and consumers consistent. */
export class GraphBuilder {
  private readonly tensors = new Map<string, MutableTensor>();
  private readonly ops: Op[] = [];
  private readonly freshKv: { k: string; v: string }[] = [];
  private logits: string | null = null;

  /** Declares a tensor; a second declaration of the same id (a shared weight or input) is the first one. */
  tensor(id: string, role: TensorRole, shape: readonly number[], dtype: DType, layer: number | null): string {
    if (!this.tensors.has(id)) {
      const bytes = bytesOf(shape, dtype);
      this.tensors.set(id, { id, role, shape, dtype, bytes, layer, producer: null, consumers: [] });
    }
    return id;
  }

  /** Appends an operator. Every tensor it names must be declared. */
  op(op: Op): void {
    const { inputs, weights, outputs } = op;
    for (let at = 0; at < inputs.length; at++) this.at(inputs[at]).consumers.push(op.id);
    for (let at = 0; at < weights.length; at++) this.at(weights[at]).consumers.push(op.id);
    for (let at = 0; at < outputs.length; at++) {
      const id = outputs[at];
      const tensor = this.at(id);
      if (tensor.producer !== null)
        throw new Error(`tensor ${id} is written by ${tensor.producer} and ${op.id}`);
      tensor.producer = op.id;
    }
    this.ops.push(op);
  }

  /** Marks the rows' fresh K and V of the next layer as results of the pass. */
  keepKv(k: string, v: string): void {
    this.at(k).role = 'output';
    this.at(v).role = 'output';
    this.freshKv.push({ k, v });
  }

  keepLogits(id: string): void {
    this.at(id).role = 'output';
    this.logits = id;
  }

  finish(model: string, shape: PassShape, precision: Precision): OpGraph {
    const tensors: ReadonlyMap<string, TensorInfo> = this.tensors;
    return { model, shape, precision, ops: this.ops, tensors, logits: this.logits, freshKv: this.freshKv };
  }

  private at(id: string): MutableTensor {
    const tensor = this.tensors.get(id);
    if (tensor === undefined) throw new Error(`tensor ${id} is used before it is declared`);
    return tensor;
  }
}
