import { CheckError, UsageError } from '../../errors.js';
import { kvInputId } from '../../model/build-graph.js';
import type { ModelConfig } from '../../model/config.js';
import { roundToF16 } from '../../model/formats/f16-round.js';
import type { OpGraph } from '../../model/graph.js';
import { graphFor } from '../../model/graph-cache.js';
import { precisionFor } from '../../model/precision.js';
import type { WeightSource } from '../../model/weights.js';
import type { KvRef, Pass } from '../../pass/pass.js';
import { PREFIX_SET, passShape } from '../../pass/shape.js';
import { passVisibility } from '../../pass/visibility.js';
import type { Engine, PassResult } from '../engine.js';
import { KvStore } from '../kv-store.js';
import { PrefixRows } from '../prefix-rows.js';
import { runKernel } from './kernels.js';
import { loadOperands, type Operands } from './operands.js';

export interface NpuNumericsOptions {
  /** Keys that attention handles at a time, as many as the timed llada.cpp stack does. Default 512. */
  readonly keyBlock?: number;
}

/** F16 weights in tiles, F16 KV and F16 activations between operators, as in arXiv:2606.13740. */
const F16 = precisionFor('f16');

/**
 * The operator graph in the NPU's arithmetic (docs/numerics.md): F16 operands, sums wider than F16 in the order of
 * depth tiles, F16 results, F16 KV and softmax by table. Plain loops over typed arrays, the same bits everywhere.
 *
 * @throws DataError when a weight is missing or has the wrong shape; CheckError when one is too large for F16
 */
export async function createNpuNumericsEngine(
  config: ModelConfig,
  weights: WeightSource,
  options: NpuNumericsOptions = {},
): Promise<Engine> {
  const { keyBlock = 512 } = options;
  if (!Number.isInteger(keyBlock) || keyBlock < 1) {
    throw new UsageError(`keys per attention block must be a positive integer, got ${keyBlock}`);
  }
  return new NpuNumericsEngine(config, await loadOperands(config, weights), keyBlock);
}

class NpuNumericsEngine implements Engine {
  readonly name = 'npu-numerics';
  private readonly kv: KvStore;
  private readonly prefix: PrefixRows;
  private disposed = false;

  constructor(
    readonly config: ModelConfig,
    private readonly weights: Operands,
    private readonly keyBlock: number,
  ) {
    this.kv = new KvStore(config.layers, config.kvHeads * config.headDim);
    this.prefix = new PrefixRows(this.kv);
  }

  /** @throws CheckError naming the operator whose result leaves the range of F16 */
  async run(pass: Pass): Promise<PassResult> {
    if (this.disposed) throw new UsageError(`engine ${this.name} was disposed`);
    const graph = graphFor(this.config, passShape(pass), F16);
    const values = this.execute(graph, pass);
    const read = (id: string): Float32Array => {
      const value = values.get(id);
      if (value === undefined) throw new Error(`graph of ${graph.model} did not write ${id}`);
      return value;
    };
    this.kv.putPass(pass, {
      k: graph.freshKv.map(({ k }) => read(k)),
      v: graph.freshKv.map(({ v }) => read(v)),
    });
    return { logits: graph.logits === null ? new Float32Array(0) : read(graph.logits) };
  }

  retain(live: readonly KvRef[]): void {
    this.kv.retain(live);
  }

  readKv(ref: KvRef): { readonly k: readonly Float32Array[]; readonly v: readonly Float32Array[] } {
    return this.kv.read(ref);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.weights.dispose();
    this.kv.clear();
    this.prefix.clear();
  }

  /** Runs the operators in order; every result is rounded to the format its tensor has in the graph. */
  private execute(graph: OpGraph, pass: Pass): ReadonlyMap<string, Float32Array> {
    const values = new Map<string, Float32Array>();
    this.prefix.assemble(pass.reads);
    if (pass.reads.length > 0) {
      for (let layer = 0; layer < this.config.layers; layer++) {
        for (const part of ['k', 'v'] as const) {
          values.set(kvInputId(PREFIX_SET, layer, part), this.prefix.values(layer, part));
        }
      }
    }
    const visibility = passVisibility(pass);
    const context = {
      weights: this.weights,
      ids: pass.rows.map((row) => row.feed),
      positions: pass.rows.map((row) => row.position),
      logitsRows: pass.logits,
      visibility,
      keyBlock: this.keyBlock,
      value: (id: string) => {
        const value = values.get(id);
        if (value === undefined) throw new Error(`graph reads ${id} before it is written`);
        return value;
      },
    };
    for (const op of graph.ops) {
      const [id] = op.outputs;
      if (id === undefined) throw new Error(`${op.id} writes nothing`);
      const result = runKernel(op, context);
      if (graph.tensors.get(id)?.dtype === 'f16' && !roundToF16(result)) {
        throw new CheckError(
          `${this.config.name}: ${op.id} gives values beyond 65504, the range of F16: this model does not run with F16 activations`,
        );
      }
      values.set(id, result);
      for (const input of op.inputs) {
        const info = graph.tensors.get(input);
        if (info?.role === 'activation' && info.consumers.at(-1) === op.id) values.delete(input);
      }
    }
    return values;
  }
}
