import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig } from '../../src/model/config.js';
import { bytesOf, elementsOf } from '../../src/model/dtype.js';
import { CODECS, type WeightDType } from '../../src/model/formats/blocks/index.js';
import { encodeWeight } from '../../src/model/formats/codec.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { recipePrecision } from '../../src/model/quant-recipes.js';
import { syntheticShapes } from '../../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../../src/model/synthetic/weights.js';
import { embeddingId, headId, weightShapes } from '../../src/model/weight-ids.js';
import type { WeightSource } from '../../src/model/weights.js';
import { cacheDirectory } from '../../src/util/cache-directory.js';
import { tameBlocks } from '../../test/support/blocks.js';

const NO_TOKENIZER = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);

/** Where files of random weights stay for the next run: they take minutes to write, and 4.5 GB the largest. */
const place = process.env.DLLM_BENCH_DIR ?? join(cacheDirectory(), 'bench');

/** A file of random weights, made when it is first asked for. */
export async function benchFile(
  arch: 'llada' | 'llama',
  size: '1b' | '8b',
  format: 'q4_0' | 'q4_k_m',
): Promise<string> {
  const path = join(place, `${arch}-${size}-${format}.gguf`);
  if (existsSync(path)) return path;
  mkdirSync(place, { recursive: true });
  const config = syntheticShapes(arch, size);
  const source = format === 'q4_0' ? syntheticWeights(config, 'q4_0', 1) : recipeWeights(config);
  await writeModelGguf(config, source, `${path}.part`, null, NO_TOKENIZER);
  renameSync(`${path}.part`, path);
  return path;
}

/** Blocks of a matrix that are drawn; the rest repeats them, which no kernel notices. */
const DRAWN_BLOCKS = 4096;

/** Random blocks in the formats of Q4_K_M. */
function recipeWeights(config: ModelConfig): WeightSource {
  const shapes = weightShapes(config);
  const { weights, embedding, head, tensors = {} } = recipePrecision('q4_k_m', config);
  const formatOf = (id: string): WeightDType => {
    if ((shapes.get(id)?.length ?? 1) === 1) return 'f32';
    const named = id === headId(config) ? head : id === embeddingId() ? embedding : weights;
    return (tensors[id] ?? named) as WeightDType;
  };
  const info = (id: string) => {
    const [shape, dtype] = [shapes.get(id)!, formatOf(id)];
    return { shape, dtype, bytes: bytesOf(shape, dtype) };
  };
  const readRaw = async (id: string): Promise<Uint8Array> => {
    const { shape, dtype, bytes } = info(id);
    if (dtype === 'f32') return encodeWeight('f32', new Float32Array(elementsOf(shape)).fill(1), id);
    const block = CODECS[dtype].bytes;
    const count = Math.min(DRAWN_BLOCKS, bytes / block);
    const drawn = tameBlocks(dtype, count, id.length, 1 / Math.sqrt(shape.at(-1)!));
    const out = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += drawn.length) out.set(drawn.subarray(0, bytes - at), at);
    return out;
  };
  const read = () => Promise.reject(new Error('only stored'));
  return {
    label: 'random Q4_K_M',
    names: () => [...shapes.keys()],
    info,
    readRaw,
    read,
    close: async () => {},
  };
}
