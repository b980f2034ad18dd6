import { CheckError } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';
import { roundToF16 } from '../../model/formats/f16-round.js';
import { embeddingId, headId, weightShapes } from '../../model/weight-ids.js';
import { checkWeights, type WeightSource } from '../../model/weights.js';

/** Weights by canonical id, row-major. */
export type Operands = (id: string) => Float32Array;

/**
 * Weights as the units that multiply by them hold them. Matrices of the layers become F16 tiles: a Q4_0 weight is
 * d * (q - 8) rounded to F16, a stored F32 one is rounded. Embedding and head stay on the CPU as stored; gains, biases
 * and the router stay in F32.
 * @throws DataError when a weight is missing or has the wrong shape; CheckError when one is too large for F16
 */
export async function loadOperands(config: ModelConfig, source: WeightSource): Promise<Operands> {
  checkWeights(config, source);
  const onCpu = new Set([embeddingId(), headId(config)]);
  const operands = new Map<string, Float32Array>();
  for (const [id, shape] of weightShapes(config)) {
    // A copy: a source may hand out the array that it keeps.
    const values = (await source.read(id)).slice();
    const tiles = shape.length > 1 && !onCpu.has(id) && !id.includes('ffn_gate_inp');
    if (tiles && !roundToF16(values)) {
      throw new CheckError(`${source.label}: weight ${id} has values beyond 65504, the range of F16 tiles`);
    }
    operands.set(id, values);
  }
  return (id) => {
    const values = operands.get(id);
    if (values === undefined) throw new Error(`no weight ${id}`);
    return values;
  };
}
