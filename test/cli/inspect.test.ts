import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytesOf } from '../../src/model/dtype.js';
import { configToGguf } from '../../src/model/formats/gguf-config.js';
import type { GgufValue } from '../../src/model/formats/gguf-types.js';
import { encodeHeader } from '../../src/model/formats/gguf-write.js';
import { loadModel } from '../../src/model/load.js';
import { resolvePreset } from '../../src/model/presets.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { project } from '../../src/util/project-root.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

interface Shown {
  readonly format: string;
  readonly version: number;
  readonly metadata: Record<string, unknown>;
  readonly tensors: readonly { name: string; type: string; shape: number[]; bytes: number }[];
  readonly refused?: string;
  readonly formats?: Record<string, { tensors: number; bytes: number }>;
}

const directory = temporaryDirectory();
const shipped = join(project().root, 'models', 'tiny-llada');

async function inspect(path: string): Promise<Shown> {
  const { code, stdout, stderr } = await cli(['inspect', path, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Shown;
}

/** A GGUF file of two tensors, F32 and `type`, of 512 values each in the size of f32. */
function foreign(path: string, type: number): string {
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: 'mamba9' }],
    ['mamba9.block_count', { type: 'u64', value: 3n }],
    ['tokenizer.ggml.tokens', { type: 'array', element: 'string', value: Array(100).fill('a') }],
    ['mamba9.sizes', { type: 'array', element: 'i32', value: [1, 2] }],
  ]);
  const plain = { shape: [2, 256], dtype: 'f32' } as const;
  const header = encodeHeader(
    metadata,
    new Map([
      ['one', plain],
      ['another', plain],
    ]),
    32,
  );
  const file = Buffer.concat([header, Buffer.alloc(2 * 2048)]);
  file.writeUInt32LE(type, file.indexOf('another') + 'another'.length + 4 + 16);
  writeFileSync(path, file);
  return path;
}

describe('inspect shows any file', () => {
  it('of an architecture that nobody knows, and says why it cannot be run', async () => {
    const shown = await inspect(foreign(join(directory, 'foreign.gguf'), 0));
    expect(shown.version).toBe(3);
    expect(shown.metadata['mamba9.block_count']).toBe(3);
    expect(shown.metadata['mamba9.sizes']).toEqual([1, 2]);
    expect(shown.metadata['tokenizer.ggml.tokens']).toEqual({ string: 100 });
    expect(shown.refused).toMatch(/architecture mamba9 is not supported/);
  });

  it('of a type that nobody knows, by its number', async () => {
    const path = foreign(join(directory, 'unknown.gguf'), 77);
    const shown = await inspect(path);
    expect(shown.tensors.map(({ type }) => type)).toEqual(['F32', 'type 77']);
    expect(shown.tensors[1]).toMatchObject({ shape: [2, 256], bytes: 2048 });
    const { stdout } = await cli(['inspect', path]);
    expect(stdout).toMatch(/GGUF version 3, 2 tensors of 4,096 bytes/);
    expect(stdout).toMatch(/another +type 77 +\[2, 256\] +2,048/);
    expect(stdout).toMatch(
      /It cannot be run here: .*another: stored as type 77, which nothing here computes/,
    );
  });

  it('of a known architecture with a type that is only named', async () => {
    const bytes = readFileSync(join(shipped, 'tiny-llada-f32.gguf'));
    const name = 'blk.0.attn_q.weight';
    // F32 as I32: of the same size, and no weight.
    bytes.writeUInt32LE(26, bytes.indexOf(name) + name.length + 4 + 16);
    const path = join(directory, 'integers.gguf');
    writeFileSync(path, bytes);
    const shown = await inspect(path);
    expect(shown.tensors.find((tensor) => tensor.name === name)?.type).toBe('I32');
    expect(shown.refused).toMatch(/attn_q\.weight: stored as I32, which nothing here computes with/);
  });

  it('of 4.5 GB, of which the header alone is read', async () => {
    const config = resolvePreset('llada-8b');
    const shapes = [...weightShapes(config)];
    const tensors = new Map(
      shapes.map(([id, shape]) => [id, { shape, dtype: shape.length === 1 ? 'f32' : 'q4_0' } as const]),
    );
    const header = encodeHeader(configToGguf(config, 'q4_0'), tensors, 32);
    const data = [...tensors.values()].reduce((sum, { shape, dtype }) => sum + bytesOf(shape, dtype), 0);
    const path = join(directory, 'large.gguf');
    writeFileSync(path, header);
    truncateSync(path, header.length + data);
    expect(data).toBeGreaterThan(4.4e9);
    const shown = await inspect(path);
    expect(shown.tensors).toHaveLength(shapes.length);
    expect(shown.formats?.q4_0?.bytes).toBeGreaterThan(4.4e9);
  });

  it('of safetensors, without a configuration', async () => {
    const path = join(directory, 'alone.safetensors');
    copyFileSync(join(shipped, 'model.safetensors'), path);
    const shown = await inspect(path);
    expect(shown.format).toBe('safetensors');
    expect(shown.tensors[0]?.type).toMatch(/^B?F\d\d$/);
    expect((await cli(['inspect', path])).stdout).toMatch(/safetensors, \d+ tensors of/);
  });

  it('refuses a big-endian one by name', async () => {
    const bytes = readFileSync(join(shipped, 'tiny-llada-f32.gguf')).subarray(0, 4096);
    Buffer.from(bytes.subarray(4, 8)).reverse().copy(bytes, 4);
    const path = join(directory, 'big-endian.gguf');
    writeFileSync(path, bytes);
    const { code, stderr } = await cli(['inspect', path]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/a big-endian GGUF file/);
  });
});

describe('a checkpoint as it was downloaded', () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 4500000000\n';

  it('is named where Git LFS has left pointers', async () => {
    const folder = join(directory, 'pointers');
    mkdirSync(folder);
    copyFileSync(join(shipped, 'config.json'), join(folder, 'config.json'));
    writeFileSync(join(folder, 'model.safetensors'), pointer);
    writeFileSync(join(folder, 'model.gguf'), pointer);
    for (const path of [folder, join(folder, 'model.gguf'), join(folder, 'model.safetensors')]) {
      const { code, stderr } = await cli(['inspect', path]);
      expect(code).toBe(3);
      expect(stderr).toMatch(/is a Git LFS pointer, not the file itself: fetch it with "git lfs pull"/);
    }
    writeFileSync(join(folder, 'config.json'), pointer);
    expect((await cli(['inspect', folder])).stderr).toMatch(/config\.json is a Git LFS pointer/);
  });

  describe('in shards without an index', () => {
    const folder = join(directory, 'shards');
    beforeAll(() => {
      mkdirSync(folder);
      copyFileSync(join(shipped, 'config.json'), join(folder, 'config.json'));
      const bytes = readFileSync(join(shipped, 'model.safetensors'));
      const data = 8 + Number(bytes.readBigUInt64LE(0));
      type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] };
      const header = JSON.parse(bytes.subarray(8, data).toString()) as Record<string, Entry>;
      const names = Object.keys(header).filter((name) => name !== '__metadata__');
      for (let shard = 0; shard < 2; shard++) {
        const own: Record<string, Entry> = {};
        const parts: Buffer[] = [];
        let end = 0;
        for (const name of names.filter((_, i) => i % 2 === shard)) {
          const [from, to] = header[name].data_offsets;
          own[name] = { ...header[name], data_offsets: [end, end + to - from] };
          parts.push(bytes.subarray(data + from, data + to));
          end += to - from;
        }
        const json = Buffer.from(JSON.stringify(own));
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(json.length));
        const path = join(folder, `model-0000${shard + 1}-of-00002.safetensors`);
        writeFileSync(path, Buffer.concat([length, json, ...parts]));
      }
    });

    it('is read', async () => {
      const [whole, shards] = [await loadModel('tiny-llada'), await loadModel(folder)];
      expect([...shards.weights.names()].sort()).toEqual([...whole.weights.names()].sort());
      for (const id of whole.weights.names())
        expect(await shards.weights.readRaw(id)).toEqual(await whole.weights.readRaw(id));
      await Promise.all([whole.weights.close(), shards.weights.close()]);
    });

    it('is refused by the name of the shard that is missing', async () => {
      const broken = join(directory, 'broken');
      mkdirSync(broken);
      for (const name of ['config.json', 'model-00002-of-00002.safetensors'])
        copyFileSync(join(folder, name), join(broken, name));
      await expect(loadModel(broken)).rejects.toThrow(/shard model-00001-of-00002\.safetensors is missing/);
    });
  });
});
