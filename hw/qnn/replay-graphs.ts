import type { Trace } from '../../src/decode/trace/trace.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { WeightSource } from '../../src/model/weights.js';
import { type Bucket, bucketFor, bucketName } from '../graph/buckets.js';
import { buildStepGraph } from '../graph/step-graph.js';

/** Buckets that the passes of a trace need, with the number of passes of each. */
export function bucketsOf(
  trace: Trace,
  contextLength: number,
): { readonly bucket: Bucket; readonly passes: number }[] {
  const counts = new Map<string, { bucket: Bucket; passes: number }>();
  for (const { plan } of trace.steps) {
    for (const pass of plan.passes) {
      const bucket = bucketFor(pass.rows.length, pass.reads.length, contextLength);
      const name = bucketName(bucket);
      counts.set(name, { bucket, passes: (counts.get(name)?.passes ?? 0) + 1 });
    }
  }
  return [...counts.values()];
}

/** Writes the float step graph of every bucket as ONNX, for Qualcomm's converter. @returns their paths */
export async function writeReplayGraphs(
  config: ModelConfig,
  weights: WeightSource,
  buckets: readonly Bucket[],
  directory: string,
): Promise<string[]> {
  const paths: string[] = [];
  for (const bucket of buckets) {
    const graph = await buildStepGraph(config, weights, { bucket, numerics: 'f32', head: true });
    paths.push(await graph.write(directory));
  }
  return paths;
}
