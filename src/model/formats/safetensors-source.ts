import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../errors.js';
import type { WeightInfo, WeightSource } from '../weights.js';
import { ByteFile } from './byte-file.js';
import { decodeWeight, type WeightDType } from './codec.js';
import { canonicalFromHf } from './hf-names.js';
import { readSafetensorsHeader, type SafetensorsEntry } from './safetensors-header.js';

const DTYPES: Readonly<Record<string, WeightDType>> = { F32: 'f32', F16: 'f16', BF16: 'bf16' };

interface Located {
  readonly file: ByteFile;
  readonly name: string;
  readonly entry: SafetensorsEntry;
}

/**
 * Weights of a Hugging Face LLaDA checkpoint: a .safetensors file, or a directory with `model.safetensors` or
 * `model.safetensors.index.json`. Tensors whose names are not LLaDA's are ignored.
 * @throws DataError naming file, tensor and reason
 */
export async function openSafetensors(path: string): Promise<WeightSource> {
  const paths = await shardPaths(path);
  const files: ByteFile[] = [];
  try {
    const located = new Map<string, Located>();
    for (const shard of paths) {
      const file = await ByteFile.open(shard);
      files.push(file);
      for (const [name, entry] of await readSafetensorsHeader(file)) {
        const id = canonicalFromHf(name);
        if (id === null) continue;
        const first = located.get(id);
        if (first !== undefined)
          throw new DataError(`${shard}: ${name} is also in ${basename(first.file.path)}`);
        located.set(id, { file, name, entry });
      }
    }
    return new SafetensorsSource(path, files, located);
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
}

class SafetensorsSource implements WeightSource {
  constructor(
    readonly label: string,
    private readonly files: readonly ByteFile[],
    private readonly located: ReadonlyMap<string, Located>,
  ) {}

  names(): readonly string[] {
    return [...this.located.keys()];
  }

  info(id: string): WeightInfo | undefined {
    const found = this.located.get(id);
    return found && { shape: found.entry.shape, dtype: dtypeOf(found), bytes: found.entry.bytes };
  }

  async read(id: string): Promise<Float32Array> {
    const found = this.at(id);
    return decodeWeight(dtypeOf(found), await this.readRaw(id), `${found.file.path}: ${found.name}`);
  }

  async readRaw(id: string): Promise<Uint8Array> {
    const { file, name, entry } = this.at(id);
    return file.read(entry.offset, entry.bytes, name);
  }

  async close(): Promise<void> {
    await Promise.all(this.files.map((file) => file.close()));
  }

  private at(id: string): Located {
    const found = this.located.get(id);
    if (found === undefined) throw new DataError(`${this.label}: weight ${id} is missing`);
    return found;
  }
}

function dtypeOf({ file, name, entry }: Located): WeightDType {
  const dtype = DTYPES[entry.dtype];
  if (dtype === undefined) {
    throw new DataError(`${file.path}: ${name}: stored as ${entry.dtype}, weights must be F32, F16 or BF16`);
  }
  return dtype;
}

const indexSchema = z.looseObject({
  weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/, 'not a plain file name')),
});

async function shardPaths(path: string): Promise<string[]> {
  if (path.endsWith('.safetensors')) return [path];
  const index = path.endsWith('.index.json') ? path : join(path, 'model.safetensors.index.json');
  if (!existsSync(index)) return [join(path, 'model.safetensors')];
  let json: unknown;
  try {
    json = JSON.parse(await readFile(index, 'utf8'));
  } catch {
    throw new DataError(`${index}: not JSON`);
  }
  const parsed = indexSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new DataError(`${index}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const shards = [...new Set(Object.values(parsed.data.weight_map))].sort();
  if (shards.length === 0) throw new DataError(`${index}: weight_map names no file`);
  return shards.map((shard) => join(dirname(index), shard));
}
