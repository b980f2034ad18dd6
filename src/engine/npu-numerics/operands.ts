import { CheckError } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';
import { roundToF16 } from '../../model/formats/f16-round.js';
import { headId, isTable, weightShapes } from '../../model/weight-ids.js';
import { checkWeights, type WeightSource } from '../../model/weights.js';
import { type StoredMatrices, type StoredMatrix, withStoredMatrices } from '../stored-matrix.js';

/** Weights by canonical id. */
export interface Operands {
  /** A gain, bias or router. */
  values(id: string): Float32Array;
  /** Rows of a matrix, or of a stack as one matrix, row-major. */
  rows(id: string, first: number, count: number): Float32Array;
  /** Closes the files. */
  dispose(): void;
}

/**
 * Weights as the units that multiply by them hold them. Matrices of the layers become F16 tiles: a Q4_0 weight is
 * d * (q - 8) rounded to F16, a stored F32 one is rounded. Embedding and head stay on the CPU as stored; gains, biases
 * and the router stay in F32. K-quants and their like are decoded and rounded whenever they are used.
 * @throws DataError when a weight is missing or has the wrong shape; CheckError when one is too large for F16
 */
export async function loadOperands(config: ModelConfig, source: WeightSource): Promise<Operands> {
  checkWeights(config, source);
  return withStoredMatrices(source, (matrices) => loaded(config, source, matrices));
}

async function loaded(
  config: ModelConfig,
  source: WeightSource,
  matrices: StoredMatrices,
): Promise<Operands> {
  const onCpu = (id: string) => isTable(id) || id === headId(config);
  const operands = new Map<string, Float32Array>();
  const stored = new Map<string, StoredMatrix>();
  const widths = new Map<string, number>();
  const isTiled = (id: string) => !onCpu(id) && !id.includes('ffn_gate_inp');
  const toTiles = (id: string, values: Float32Array): Float32Array => {
    if (isTiled(id) && !roundToF16(values))
      throw new CheckError(`${source.label}: weight ${id} has values beyond 65504, the range of F16 tiles`);
    return values;
  };
  for (const [id, shape] of weightShapes(config)) {
    const kept = await matrices.open(id);
    if (kept !== null) {
      stored.set(id, kept);
      continue;
    }
    // A copy: a source may hand out the array that it keeps.
    const values = (await source.read(id)).slice();
    operands.set(id, shape.length > 1 ? toTiles(id, values) : values);
    widths.set(id, shape.at(-1) ?? 1);
  }
  const values = (id: string): Float32Array => {
    const found = operands.get(id);
    if (found === undefined) throw new Error(`no weight ${id}`);
    return found;
  };
  return {
    values,
    rows: (id, first, count) => {
      const kept = stored.get(id);
      if (kept !== undefined) return toTiles(id, kept.values(first, count));
      const width = widths.get(id) ?? 1;
      return values(id).subarray(first * width, (first + count) * width);
    },
    dispose: () => matrices.close(),
  };
}
