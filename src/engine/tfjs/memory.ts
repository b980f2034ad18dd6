import { EnvironmentError } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';
import { elementsOf } from '../../model/dtype.js';
import { headId, isTable, weightShapes } from '../../model/weight-ids.js';
import type { WeightSource } from '../../model/weights.js';
import { keptAsStored } from '../stored-matrix.js';

/** What the weights of a model take in this engine, in bytes. */
export interface TfjsMemory {
  /** As f32 tensors of the backend. */
  readonly widened: number;
  /** As they are stored, of weights that cannot be read in their file: Q and K whose rows change places, and those in no file. */
  readonly stored: number;
  /** In the file. */
  readonly file: number;
}

/** WebAssembly has 32-bit addresses; what is left of them is for inputs, and for the copies that a product makes. */
const MOST_OF_WASM = 2 ** 32 - 2 ** 28;
/** Below it nobody has to be told. */
const WORTH_A_LINE = 1e9;

/** What `loadWeightTensors` will take: a tied embedding twice, matrices that stay as stored nothing where their file is read, everything else as f32. */
export function tfjsMemory(config: ModelConfig, source: WeightSource): TfjsMemory {
  let [widened, stored, file] = [0, 0, 0];
  const isKept = keptAsStored(source);
  for (const [id, shape] of weightShapes(config)) {
    const info = source.info(id);
    if (info === undefined) continue;
    file += info.bytes;
    const copies = isTable(id) && headId(config) === id ? 2 : 1;
    if (isKept(id)) stored += source.place?.(id) === undefined ? info.bytes : 0;
    else widened += 4 * copies * elementsOf(shape);
  }
  return { widened, stored, file };
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** One line for whoever is about to lend this much memory; null where it is little. */
export function memoryNote({ widened, stored, file }: TfjsMemory): string | null {
  if (widened + stored < WORTH_A_LINE) return null;
  return `tfjs takes ${gigabytes(widened + stored)} of memory for weights of ${gigabytes(file)}${widened > file ? ': it computes in f32; ort and ggml take what the file has' : ''}`;
}

/** @throws EnvironmentError when they cannot be addressed */
export function requireRoom({ widened, file }: TfjsMemory, backend: string, label: string): void {
  if (backend !== 'wasm' || widened <= MOST_OF_WASM) return;
  throw new EnvironmentError(
    `${label}: weights of ${gigabytes(file)} are ${gigabytes(widened)} in f32, and WebAssembly has addresses for ${gigabytes(MOST_OF_WASM)}: take --engine ort or ggml`,
  );
}
