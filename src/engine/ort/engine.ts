import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { UsageError } from '../../errors.js';
import { INPUT_IDS, kvInputId } from '../../model/build-graph.js';
import type { ModelConfig } from '../../model/config.js';
import type { OpGraph } from '../../model/graph.js';
import { graphFor } from '../../model/graph-cache.js';
import { precisionFor } from '../../model/precision.js';
import type { WeightSource } from '../../model/weights.js';
import type { Compute } from '../../onnx/compute.js';
import { ADAPTER_INPUT } from '../../onnx/lower-ops.js';
import type { KvRef, Pass } from '../../pass/pass.js';
import { PREFIX_SET } from '../../pass/shape.js';
import { passVisibility } from '../../pass/visibility.js';
import type { Engine, PassResult } from '../engine.js';
import { KvStore } from '../kv-store.js';
import { PrefixRows } from '../prefix-rows.js';
import { staysStored } from '../stored-matrix.js';
import { prepareModel } from './model-cache.js';
import type { OrtEngineOptions } from './options.js';
import { loadOrt, type Ort, openSession } from './runtime.js';

/**
 * The operator graph on ONNX Runtime's CPU provider. Weights keep their stored format and never pass through the
 * JavaScript heap as a whole: the runtime reads them from the model's data file.
 *
 * @throws EnvironmentError when ONNX Runtime is not installed; DataError when a weight is missing or damaged
 */
export async function createOrtEngine(
  config: ModelConfig,
  weights: WeightSource,
  options: OrtEngineOptions = {},
): Promise<Engine> {
  // Before anything is written: without the runtime there is nothing to do.
  const ort = await loadOrt();
  const model = await prepareModel(config, weights, options);
  try {
    // Unpacked weights come and go: an arena would keep room for the largest of every size.
    const unpacks = weights.names().some((id) => staysStored(weights.info(id)?.dtype ?? 'f32'));
    const session = await openSession(model.path, options.threads ?? 1, !unpacks);
    return new OrtEngine(config, ort, session, model.release, options.compute ?? 'f32');
  } catch (error) {
    model.release();
    throw error;
  }
}

class OrtEngine implements Engine {
  readonly name: string;
  private readonly kv: KvStore;
  private readonly prefix: PrefixRows;
  /** Names the inputs and outputs; its extents are not used. */
  private readonly graph: OpGraph;
  private disposed = false;

  constructor(
    readonly config: ModelConfig,
    private readonly ort: Ort,
    private readonly session: InferenceSession,
    private readonly release: () => void,
    compute: Compute,
  ) {
    this.name = compute === 'f32' ? 'ort' : `ort-${compute}`;
    this.kv = new KvStore(config.layers, config.kvHeads * config.headDim);
    this.prefix = new PrefixRows(this.kv);
    const shape = { rows: 1, kvSets: [], logitsRows: 1, masked: false };
    this.graph = graphFor(config, shape, precisionFor('f32'));
  }

  async run(pass: Pass): Promise<PassResult> {
    if (this.disposed) throw new UsageError(`engine ${this.name} was disposed`);
    const positions = pass.rows.map((row) => row.position);
    const results = await this.session.run(this.feeds(pass, positions));
    const read = (id: string): Float32Array => {
      const tensor = results[id];
      if (tensor === undefined) throw new Error(`ONNX Runtime returned no ${id}`);
      return tensor.data as Float32Array;
    };
    this.kv.putPass(pass, {
      k: this.graph.freshKv.map(({ k }) => read(k)),
      v: this.graph.freshKv.map(({ v }) => read(v)),
    });
    const { logits } = this.graph;
    return { logits: logits === null || pass.logits.length === 0 ? new Float32Array(0) : read(logits) };
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
    this.kv.clear();
    this.prefix.clear();
    // Nobody waits for a session to close; its files may go when it has.
    void this.session.release().finally(this.release);
  }

  private feeds(pass: Pass, positions: readonly number[]): Record<string, Tensor> {
    const { layers, kvHeads, headDim, contextLength } = this.config;
    const { Tensor } = this.ort;
    for (const position of positions) {
      if (position >= contextLength)
        throw new UsageError(`position ${position} is outside the context of ${contextLength}`);
    }
    const int32 = (values: readonly number[]) =>
      new Tensor('int32', Int32Array.from(values), [values.length]);
    const seen = passVisibility(pass);
    // One row of the head is the least the graph computes; a pass without logits ignores it.
    const logitsRows = pass.logits.length === 0 ? [0] : pass.logits;
    this.prefix.assemble(pass.reads);
    const feeds: Record<string, Tensor> = {
      [INPUT_IDS.ids]: int32(pass.rows.map((row) => this.checkedId(row.feed))),
      [INPUT_IDS.positions]: int32(positions),
      [INPUT_IDS.logitsRows]: int32(logitsRows),
      [INPUT_IDS.visibility]:
        seen === undefined
          ? new Tensor('float32', Float32Array.of(1), [1, 1])
          : new Tensor('float32', seen, [positions.length, pass.reads.length + positions.length]),
    };
    if (this.config.draftAdapter !== undefined)
      feeds[ADAPTER_INPUT] = new Tensor('float32', Float32Array.of(pass.adapter === true ? 1 : 0), [1]);
    for (let layer = 0; layer < layers; layer++) {
      for (const part of ['k', 'v'] as const) {
        const dims = [pass.reads.length, kvHeads * headDim];
        const values = this.prefix.values(layer, part);
        feeds[kvInputId(PREFIX_SET, layer, part)] = new Tensor('float32', values, dims);
      }
    }
    return feeds;
  }

  private checkedId(id: number): number {
    if (!Number.isInteger(id) || id < 0 || id >= this.config.vocab) {
      throw new UsageError(`token id ${id} is outside the vocabulary of ${this.config.vocab}`);
    }
    return id;
  }
}
