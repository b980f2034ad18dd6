import * as tf from '@tensorflow/tfjs-core';
import { UsageError } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';
import { graphFor } from '../../model/graph-cache.js';
import { precisionFor } from '../../model/precision.js';
import type { WeightSource } from '../../model/weights.js';
import type { KvRef, Pass } from '../../pass/pass.js';
import { passShape } from '../../pass/shape.js';
import { passVisibility } from '../../pass/visibility.js';
import type { Engine, PassResult } from '../engine.js';
import { KvStore } from '../kv-store.js';
import { useBackend } from './backend.js';
import type { TfjsBackend } from './backends.js';
import { executeGraph, resultTensors } from './execute.js';
import { PrefixCache } from './prefix-cache.js';
import { type LoadedWeights, loadWeightTensors } from './weight-tensors.js';

export interface TfjsEngineOptions {
  /** Default `wasm`; `cpu` is plain JavaScript, some twenty times slower. */
  readonly backend?: TfjsBackend;
  /** Called with the inputs and outputs of linear layers, by tensor id; the values are only valid during the call. */
  readonly onLinear?: (id: string, values: Float32Array) => void;
}

const F32 = precisionFor('f32');

/**
 * The reference engine: the operator graph in f32, op by op, deterministic to the bit.
 * @throws DataError when a weight is missing or has the wrong shape
 */
export async function createTfjsEngine(
  config: ModelConfig,
  weights: WeightSource,
  options: TfjsEngineOptions = {},
): Promise<Engine> {
  const backend = options.backend ?? 'wasm';
  await useBackend(backend);
  return new TfjsEngine(config, backend, await loadWeightTensors(config, weights), options.onLinear);
}

class TfjsEngine implements Engine {
  readonly name: string;
  private readonly kv: KvStore;
  private readonly prefix: PrefixCache;
  private disposed = false;

  constructor(
    readonly config: ModelConfig,
    private readonly backend: TfjsBackend,
    private readonly weights: LoadedWeights,
    private readonly onLinear: TfjsEngineOptions['onLinear'],
  ) {
    this.name = `tfjs-${backend}`;
    this.kv = new KvStore(config.layers, config.kvHeads * config.headDim);
    this.prefix = new PrefixCache(this.kv);
  }

  async run(pass: Pass): Promise<PassResult> {
    if (this.disposed) throw new UsageError(`engine ${this.name} was disposed`);
    await useBackend(this.backend);
    const positions = pass.rows.map((row) => row.position);
    const graph = graphFor(this.config, passShape(pass), F32);
    const visibility = passVisibility(pass);
    const bindings = {
      weights: this.weights,
      ids: pass.rows.map((row) => this.checkedId(row.feed)),
      positions,
      logitsRows: pass.logits,
      kv: this.prefix.tensors(pass.reads),
      visibility,
    };
    const read = (tensor: tf.Tensor2D) => tensor.dataSync<'float32'>();
    const { onLinear } = this;
    const result = executeGraph(graph, bindings, {
      release: true,
      onLinear: onLinear && ((id, tensor) => onLinear(id, read(tensor))),
    });
    this.kv.putPass(pass, {
      k: result.freshKv.map(({ k }) => read(k)),
      v: result.freshKv.map(({ v }) => read(v)),
    });
    const logits = result.logits === null ? new Float32Array(0) : read(result.logits);
    tf.dispose(resultTensors(result));
    return { logits };
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
    this.prefix.dispose();
    this.weights.dispose();
    this.kv.clear();
  }

  /** A lookup past the table would read foreign memory in wasm. */
  private checkedId(id: number): number {
    if (!Number.isInteger(id) || id < 0 || id >= this.config.vocab) {
      throw new UsageError(`token id ${id} is outside the vocabulary of ${this.config.vocab}`);
    }
    return id;
  }
}
