import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trace } from '../../src/decode/trace/trace.js';
import type { Engine } from '../../src/engine/engine.js';
import { type Bucket, bucketName } from '../graph/buckets.js';
import { stepGraph } from '../graph/step-graph.js';
import { type BoundaryTensor, stepIo } from '../graph/step-io.js';
import { bytesOf, encodeRaw, type RawTensor } from './raw-tensor.js';
import { replayInputs } from './replay-inputs.js';
import { tensorFor } from './tools-files.js';

/** One pass of a bucket: its files and what is expected of it. */
export interface ReplayPass {
  readonly step: number;
  readonly passId: string;
  readonly kind: string;
  readonly rows: number;
  readonly logitsRows: number;
  /** File per input, relative to the bucket's folder. */
  readonly files: ReadonlyMap<string, string>;
  readonly logits: Float32Array;
}

export interface BucketReplay {
  readonly bucket: Bucket;
  readonly name: string;
  /** Folder with the input files. */
  readonly directory: string;
  readonly inputs: readonly RawTensor[];
  /** The logits. */
  readonly output: RawTensor;
  readonly passes: ReplayPass[];
  readonly bytes: number;
}

/** What a compiled graph takes and gives; null while there is none: the types of the ONNX graph then. */
export type TensorsOfBucket = (
  bucket: string,
) => { readonly inputs: readonly RawTensor[]; readonly outputs: readonly RawTensor[] } | null;

/**
 * Writes the inputs of every pass of a trace as raw files, one folder per bucket.
 * @param tensors what the compiled graph of a bucket takes, when there is one already
 * @throws DataError when a compiled graph lacks an input
 */
export async function writeReplay(
  trace: Trace,
  engine: Engine,
  directory: string,
  tensors: TensorsOfBucket = () => null,
  onProgress?: (done: number, total: number) => void,
): Promise<BucketReplay[]> {
  const buckets = new Map<string, BucketReplay & { bytes: number; kv: Map<string, string> }>();
  const total = trace.steps.reduce((sum, { plan }) => sum + plan.passes.length, 0);
  let done = 0;
  for await (const { bucket, pass, step, inputs, kv, logits } of replayInputs(trace, engine)) {
    const name = bucketName(bucket);
    const replay = buckets.get(name) ?? openBucket(engine, bucket, join(directory, name), tensors(name));
    buckets.set(name, replay);
    const index = replay.passes.length;
    const write = async (id: string, values: Float32Array | Int32Array): Promise<[string, string]> => {
      const tensor = tensorFor(replay.inputs, id, `graph ${name}`);
      const file = `${String(index).padStart(4, '0')}_${replay.inputs.indexOf(tensor)}.raw`;
      await writeFile(join(replay.directory, file), encodeRaw(values, tensor));
      replay.bytes += bytesOf(tensor);
      return [tensor.name, file];
    };
    if (kv !== null) replay.kv = new Map(await Promise.all([...kv].map(([id, values]) => write(id, values))));
    const own = await Promise.all([...inputs].map(([id, values]) => write(id, values)));
    replay.passes.push({
      step,
      passId: pass.id,
      kind: pass.kind,
      rows: pass.rows.length,
      logitsRows: pass.logits.length,
      files: new Map([...own, ...replay.kv]),
      logits,
    });
    onProgress?.(++done, total);
  }
  return [...buckets.values()];
}

function openBucket(
  engine: Engine,
  bucket: Bucket,
  directory: string,
  compiled: ReturnType<TensorsOfBucket>,
): BucketReplay & { bytes: number; kv: Map<string, string> } {
  mkdirSync(directory, { recursive: true });
  const io = stepIo(stepGraph(engine.config, bucket), { head: true });
  const name = bucketName(bucket);
  const plain = ({ id, type, dims }: BoundaryTensor): RawTensor => {
    const dataType = type === 'i32' ? 'QNN_DATATYPE_INT_32' : 'QNN_DATATYPE_FLOAT_32';
    return { name: id, dataType, dims: [...dims] };
  };
  return {
    bucket,
    name,
    directory,
    passes: [],
    bytes: 0,
    kv: new Map<string, string>(),
    inputs: compiled?.inputs ?? io.inputs.map(plain),
    output: compiled === null ? plain(io.outputs[0]) : tensorFor(compiled.outputs, 'logits', `graph ${name}`),
  };
}
