import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { DataError, EnvironmentError } from '../../errors.js';
import { readDirectory, readJsonAs } from '../../util/read-file.js';
import type { Architecture } from '../families/index.js';
import { rowCount, type WeightInfo, type WeightSource } from '../weights.js';
import type { WeightDType } from './blocks/index.js';
import { ByteFile } from './byte-file.js';
import { decodeWeight } from './codec.js';
import { isUnusedHfTensor, placeOfHfName, storedTogether } from './hf-names.js';
import { readSafetensorsHeader, type SafetensorsEntry } from './safetensors-header.js';

const DTYPES: Readonly<Record<string, WeightDType>> = { F32: 'f32', F16: 'f16', BF16: 'bf16' };

interface Located {
  readonly file: ByteFile;
  readonly name: string;
  readonly entry: SafetensorsEntry;
}

/** The tensors that make up a weight: one, or an expert's matrix each, by index. */
type Parts = Map<number, Located>;

/** Index of a weight that is one tensor. */
const WHOLE = -1;

/**
 * Weights of a Hugging Face checkpoint of a family, experts joined to stacks: a .safetensors file, or a directory with
 * `model.safetensors`, or shards with or without `model.safetensors.index.json`. A tensor of no known name is refused.
 * @param shapes of the weights that a family stores several in one tensor (Q, K and V)
 * @param beside further files of tensors, of an adapter
 * @throws DataError naming file, tensor and reason
 */
export async function openSafetensors(
  path: string,
  arch: Architecture,
  shapes: ReadonlyMap<string, readonly number[]> = new Map(),
  beside: readonly string[] = [],
): Promise<WeightSource> {
  const shards = new Map([
    ...(await shardsOf(path)),
    ...beside.map((file): [string, readonly string[]] => [file, []]),
  ]);
  const files: ByteFile[] = [];
  try {
    const located = new Map<string, Parts>();
    for (const [shard, promised] of shards) {
      const file = await openShard(path, shard, promised);
      files.push(file);
      const entries = await readSafetensorsHeader(file);
      const lost = promised.find((name) => !entries.has(name));
      if (lost !== undefined) throw new DataError(`${shard}: ${lost} is missing, the index says it is here`);
      for (const [name, entry] of entries) {
        const place = placeOfHfName(arch, name);
        if (place === null) {
          if (isUnusedHfTensor(arch, name)) continue;
          throw new DataError(`${shard}: ${name}: ${arch} models have no such weight here`);
        }
        for (const [id, part] of cutUp(arch, place.id, { file, name, entry }, shapes)) {
          const parts = located.get(id) ?? new Map<number, Located>();
          const index = place.expert ?? WHOLE;
          const first = parts.get(index);
          if (first !== undefined)
            throw new DataError(`${shard}: ${name} is also in ${basename(first.file.path)}`);
          located.set(id, parts.set(index, part));
        }
      }
    }
    for (const [id, parts] of located) checkStack(path, id, parts);
    return new SafetensorsSource(path, files, located);
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
}

/** The weights in one tensor, each with its rows. @throws DataError when the rows are not theirs */
function cutUp(
  arch: Architecture,
  id: string,
  whole: Located,
  shapes: ReadonlyMap<string, readonly number[]>,
): (readonly [string, Located])[] {
  const ids = storedTogether(arch, id);
  if (ids.length === 1) return [[id, whole]];
  const { file, name, entry } = whole;
  const [rows, ...rest] = entry.shape;
  const counts = ids.map((each) => shapes.get(each)?.[0] ?? 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (rows !== total) throw new DataError(`${file.path}: ${name}: ${rows} rows, its weights have ${total}`);
  const rowBytes = entry.bytes / rows;
  let { offset } = entry;
  return ids.map((each, index) => {
    const bytes = counts[index] * rowBytes;
    const part = { ...entry, shape: [counts[index], ...rest], offset, bytes };
    offset += bytes;
    return [each, { file, name, entry: part }];
  });
}

class SafetensorsSource implements WeightSource {
  readonly files: readonly string[];

  constructor(
    readonly label: string,
    private readonly open: readonly ByteFile[],
    private readonly located: ReadonlyMap<string, Parts>,
  ) {
    this.files = open.map(({ path }) => path).sort();
  }

  names(): readonly string[] {
    return [...this.located.keys()];
  }

  info(id: string): WeightInfo | undefined {
    const parts = this.located.get(id);
    const first = parts && partsInOrder(parts)[0];
    if (first === undefined) return undefined;
    const { shape, bytes } = first.entry;
    if (parts?.has(WHOLE)) return { shape, dtype: dtypeOf(first), bytes };
    const count = parts?.size ?? 0;
    return { shape: [count, ...shape], dtype: dtypeOf(first), bytes: count * bytes };
  }

  async read(id: string): Promise<Float32Array> {
    const first = this.at(id)[0];
    return decodeWeight(dtypeOf(first), await this.readRaw(id), `${first.file.path}: ${first.name}`);
  }

  async readRaw(id: string): Promise<Uint8Array> {
    const parts = this.at(id);
    const read = ({ file, name, entry }: Located) => file.read(entry.offset, entry.bytes, name);
    if (parts.length === 1) return read(parts[0]);
    const stack = new Uint8Array(parts.reduce((sum, { entry }) => sum + entry.bytes, 0));
    let at = 0;
    for (const part of parts) {
      stack.set(await read(part), at);
      at += part.entry.bytes;
    }
    return stack;
  }

  async readRows(id: string, first: number, count: number): Promise<Uint8Array> {
    const parts = this.at(id);
    const { entry: like } = parts[0];
    const rows = rowCount(like.shape);
    const rowBytes = like.bytes / rows;
    const out = new Uint8Array(count * rowBytes);
    for (let done = 0; done < count; ) {
      const row = first + done;
      const { file, name, entry } = parts[Math.floor(row / rows)];
      const within = row % rows;
      const taken = Math.min(rows - within, count - done);
      out.set(await file.read(entry.offset + within * rowBytes, taken * rowBytes, name), done * rowBytes);
      done += taken;
    }
    return out;
  }

  async close(): Promise<void> {
    await Promise.all(this.open.map((file) => file.close()));
  }

  private at(id: string): readonly Located[] {
    const found = this.located.get(id);
    if (found === undefined) throw new DataError(`${this.label}: weight ${id} is missing`);
    return partsInOrder(found);
  }
}

function partsInOrder(parts: Parts): readonly Located[] {
  return [...parts].sort(([a], [b]) => a - b).map(([, located]) => located);
}

/** Experts must be numbered without gaps and be alike. */
function checkStack(path: string, id: string, parts: Parts): void {
  if (parts.size === 1 && parts.has(WHOLE)) return;
  const ordered = partsInOrder(parts);
  for (const [index, part] of ordered.entries()) {
    if (!parts.has(index)) throw new DataError(`${path}: ${id}: expert ${index} is missing`);
    const { entry } = ordered[0];
    if (part.entry.dtype !== entry.dtype || part.entry.shape.join() !== entry.shape.join())
      throw new DataError(`${path}: ${part.name}: differs in shape or dtype from ${ordered[0].name}`);
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
  weight_map: z.record(
    z.string(),
    z.string().regex(/^[^/\\]+\.safetensors$/, 'not a plain file name that ends in .safetensors'),
  ),
});

/** Shard files, each with the tensors its index promises; without an index nothing is promised. */
type Shards = ReadonlyMap<string, readonly string[]>;

/** @throws EnvironmentError or DataError, as ByteFile.open; a shard that is not there is named with what it would hold */
async function openShard(index: string, shard: string, promised: readonly string[]): Promise<ByteFile> {
  if (promised.length === 0 || existsSync(shard)) return ByteFile.open(shard);
  const rest = promised.length === 1 ? '' : ` and ${promised.length - 1} more`;
  throw new EnvironmentError(`${index}: shard ${basename(shard)} with ${promised[0]}${rest} is missing`);
}

const INDEX = 'model.safetensors.index.json';
const SHARD = /^model-(\d{5})-of-(\d{5})\.safetensors$/;

/**
 * The shards of a directory that has no index, in order: by their names.
 * @throws EnvironmentError when one of them is missing
 */
function unindexed(directory: string): readonly string[] {
  const whole = join(directory, 'model.safetensors');
  if (existsSync(whole)) return [whole];
  const all = readDirectory(directory);
  const names = all.filter((name) => SHARD.test(name));
  if (names.length === 0) throw noWeights(directory, all);
  const count = Number(SHARD.exec(names[0])?.[2]);
  return Array.from({ length: count }, (_, i) => {
    const [number, of] = [i + 1, count].map((n) => String(n).padStart(5, '0'));
    const name = `model-${number}-of-${of}.safetensors`;
    if (!names.includes(name)) throw new EnvironmentError(`${directory}: shard ${name} is missing`);
    return join(directory, name);
  });
}

/** What a directory has in place of weights. */
function noWeights(directory: string, names: readonly string[]): EnvironmentError {
  const others = names.filter((name) => /\.(safetensors|bin|pt|pth|gguf|h5|msgpack|ckpt)$/.test(name));
  const found = others.slice(0, 3).join(', ');
  const instead =
    others.length === 0
      ? 'no file of weights'
      : `${found}${others.length > 3 ? ` and ${others.length - 3} more` : ''}, which is not read under that name`;
  return new EnvironmentError(`${directory}: no model.safetensors and no shards of one; it has ${instead}`);
}

/**
 * Refuses a directory that changes its weights by a file that is not read.
 * @throws DataError naming the file
 */
function refuseAdapter(directory: string): void {
  if (existsSync(join(directory, 'adapter_config.json')))
    throw new DataError(
      `${directory}: adapter_config.json: an adapter changes these weights, and is not read: merge it into them, or take it away`,
    );
}

/** The file that identifies the weights of a directory: the index of its shards, the first shard, or the only file. */
export function weightsFileOf(directory: string): string {
  const index = join(directory, INDEX);
  return existsSync(index) ? index : unindexed(directory)[0];
}

async function shardsOf(path: string): Promise<Shards> {
  if (path.endsWith('.safetensors')) return new Map([[path, []]]);
  const index = path.endsWith('.index.json') ? path : join(path, INDEX);
  refuseAdapter(dirname(index));
  if (!existsSync(index)) return new Map(unindexed(path).map((shard) => [shard, []]));
  const { weight_map: weightMap } = readJsonAs(index, indexSchema);
  const shards = new Map<string, string[]>();
  for (const [name, file] of Object.entries(weightMap).sort(([, a], [, b]) => (a < b ? -1 : 1))) {
    const shard = join(dirname(index), file);
    shards.set(shard, [...(shards.get(shard) ?? []), name]);
  }
  if (shards.size === 0) throw new DataError(`${index}: weight_map names no file`);
  const whole = join(dirname(index), 'model.safetensors');
  if (existsSync(whole) && !shards.has(whole))
    throw new DataError(`${index}: model.safetensors beside it holds weights too: take one of them away`);
  return shards;
}
