import type { Trace } from '../../src/decode/trace/trace.js';
import type { Engine } from '../../src/engine/engine.js';
import { UsageError } from '../../src/errors.js';
import { kvInputId } from '../../src/model/build-graph.js';
import type { KvRef, Pass } from '../../src/pass/pass.js';
import { PREFIX_SET } from '../../src/pass/shape.js';
import { type Bucket, bucketFor } from '../graph/buckets.js';
import { stepInputs } from '../graph/step-inputs.js';

/** One pass of a recorded decode, as the step graph of its bucket is fed, and what the reference made of it. */
export interface ReplayInput {
  readonly step: number;
  readonly pass: Pass;
  readonly bucket: Bucket;
  /** Values of every input that changes from pass to pass. */
  readonly inputs: ReadonlyMap<string, Float32Array | Int32Array>;
  /** K and V of what the pass reads, padded to the bucket; null: those of the last pass of this bucket. */
  readonly kv: ReadonlyMap<string, Float32Array> | null;
  /** Logits of the rows that the pass asked for, [rows, vocab]; empty without any. */
  readonly logits: Float32Array;
}

/**
 * Computes every pass of a trace on the reference, in order. The device then gets all of them at once: each sees the
 * tokens and the K and V of the reference, so one pass's error never reaches the next (open loop).
 *
 * @throws UsageError when the trace is of another model, or guided
 * @throws CheckError when a pass reads an entry that the trace never wrote
 */
export async function* replayInputs(trace: Trace, engine: Engine): AsyncGenerator<ReplayInput> {
  const { config } = engine;
  if (trace.header.model.name !== config.name) {
    throw new UsageError(`the trace is of ${trace.header.model.name}, not of ${config.name}`);
  }
  engine.retain([]);
  const held = new Map<string, string>();
  for (const { plan } of trace.steps) {
    for (const pass of plan.passes) {
      if (pass.guidance !== undefined) {
        throw new UsageError(
          'a guided pass mixes the logits of two groups: it cannot be replayed row by row',
        );
      }
      const bucket = bucketFor(pass.rows.length, pass.reads.length, config.contextLength);
      const inputs = stepInputs(config, pass, bucket);
      // What the region of a bucket holds stays there while the same entries are read.
      const [key, reads] = [`${bucket.rows} ${bucket.context}`, JSON.stringify(pass.reads)];
      const kv = held.get(key) === reads ? null : kvInputs(engine, pass.reads, bucket);
      held.set(key, reads);
      const { logits } = await engine.run(pass);
      yield { step: plan.step, pass, bucket, inputs, kv, logits: logits.slice() };
    }
  }
}

function kvInputs(engine: Engine, reads: readonly KvRef[], bucket: Bucket): Map<string, Float32Array> {
  const { layers, kvHeads, headDim } = engine.config;
  const width = kvHeads * headDim;
  const inputs = new Map<string, Float32Array>();
  for (let layer = 0; layer < layers; layer++) {
    for (const part of ['k', 'v'] as const) {
      inputs.set(kvInputId(PREFIX_SET, layer, part), new Float32Array(bucket.context * width));
    }
  }
  reads.forEach((ref, row) => {
    const entry = engine.readKv(ref);
    for (let layer = 0; layer < layers; layer++) {
      for (const part of ['k', 'v'] as const) {
        inputs.get(kvInputId(PREFIX_SET, layer, part))?.set(entry[part][layer] ?? [], row * width);
      }
    }
  });
  return inputs;
}
