import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError, EnvironmentError } from '../../src/errors.js';
import { decodeWeight, encodeWeight } from '../../src/model/formats/codec.js';
import { hfNameOf, placeOfHfName } from '../../src/model/formats/hf-names.js';
import { openSafetensors } from '../../src/model/formats/safetensors-source.js';
import { writeSafetensors } from '../../src/model/formats/safetensors-write.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { writeCheckpoint } from '../support/checkpoint.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const NAME = 'model.transformer.blocks.0.q_proj.weight';

function rawFile(header: unknown, data: Uint8Array, headerBytes?: number): string {
  const path = join(temporaryDirectory(), 'bad.safetensors');
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(headerBytes ?? json.length));
  writeFileSync(path, Buffer.concat([length, json, data]));
  return path;
}

const entry = (start: number, end: number, shape: number[] = [(end - start) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

describe('safetensors', () => {
  const config = tinyConfig({ tiedHead: false });
  const weights = randomWeights(config);

  it.each(['f32', 'f16', 'bf16'] as const)('gives back what was written as %s', async (dtype) => {
    const source = await openSafetensors(await writeCheckpoint(config, weights, dtype), 'llada');
    expect([...source.names()].sort()).toEqual([...weightShapes(config).keys()].sort());
    for (const id of source.names()) {
      const original = await weights.read(id);
      const bytes = encodeWeight(dtype, original, id);
      expect(source.info(id)).toEqual({ shape: weights.info(id)?.shape, dtype, bytes: bytes.length });
      expect(Buffer.compare(await source.readRaw(id), bytes)).toBe(0);
      expect(await source.read(id)).toEqual(decodeWeight(dtype, bytes, id));
    }
    await expect(source.read('blk.9.attn_q.weight')).rejects.toThrow(/weight blk.9.attn_q.weight is missing/);
    await source.close();
  });

  it('reads shards by their index', async () => {
    const directory = temporaryDirectory();
    const values = (x: number) => ({
      shape: [2],
      dtype: 'f32' as const,
      values: () => new Float32Array([x, x]),
    });
    const [norm, last] = ['model.transformer.blocks.0.attn_norm.weight', 'model.transformer.ln_f.weight'];
    await writeSafetensors(join(directory, 'a.safetensors'), new Map([[norm, values(1)]]));
    await writeSafetensors(join(directory, 'b.safetensors'), new Map([[last, values(2)]]));
    const index = { weight_map: { [norm]: 'a.safetensors', [last]: 'b.safetensors' } };
    writeFileSync(join(directory, 'model.safetensors.index.json'), JSON.stringify(index));
    const source = await openSafetensors(directory, 'llada');
    expect([...(await source.read('output_norm.weight'))]).toEqual([2, 2]);
    expect([...(await source.read('blk.0.attn_norm.weight'))]).toEqual([1, 1]);
    await source.close();
    index.weight_map[last] = '../b.safetensors';
    writeFileSync(join(directory, 'model.safetensors.index.json'), JSON.stringify(index));
    await expect(openSafetensors(directory, 'llada')).rejects.toThrow(/not a plain file name/);
  });

  it('refuses an index that lies about its shards, or shards that lead in a circle', async () => {
    const directory = temporaryDirectory();
    const [norm, last] = ['model.transformer.blocks.0.attn_norm.weight', 'model.transformer.ln_f.weight'];
    const one = { shape: [1], dtype: 'f32' as const, values: () => new Float32Array(1) };
    await writeSafetensors(join(directory, 'a.safetensors'), new Map([[norm, one]]));
    const index = join(directory, 'model.safetensors.index.json');
    const say = (map: Record<string, string>) => writeFileSync(index, JSON.stringify({ weight_map: map }));
    say({ [norm]: 'a.safetensors', [last]: 'a.safetensors' });
    await expect(openSafetensors(directory, 'llada')).rejects.toThrow(
      new DataError(`${join(directory, 'a.safetensors')}: ${last} is missing, the index says it is here`),
    );
    say({ [norm]: 'a.safetensors', [last]: 'b.safetensors' });
    await expect(openSafetensors(directory, 'llada')).rejects.toThrow(
      new EnvironmentError(`${directory}: shard b.safetensors with ${last} is missing`),
    );
    say({ [norm]: 'model.safetensors.index.json' });
    await expect(openSafetensors(directory, 'llada')).rejects.toThrow(
      /attn_norm.weight: not a plain file name/,
    );
    symlinkSync('d.safetensors', join(directory, 'c.safetensors'));
    symlinkSync('c.safetensors', join(directory, 'd.safetensors'));
    say({ [norm]: 'c.safetensors' });
    await expect(openSafetensors(directory, 'llada')).rejects.toThrow(/shard c.safetensors .* is missing/);
    await expect(openSafetensors(join(directory, 'c.safetensors'), 'llada')).rejects.toThrow(
      /cannot read .*ELOOP/,
    );
    symlinkSync('model.safetensors.index.json', join(directory, 'e.safetensors'));
    say({ [norm]: 'e.safetensors' });
    await expect(openSafetensors(directory, 'llada')).rejects.toThrow(
      /e.safetensors: header of .* cannot be/,
    );
  });

  it.each([
    ['header longer than the file', { [NAME]: entry(0, 8) }, 8, 1e6, /header of 1000000 bytes cannot be/],
    ['header that is not JSON', '{"a":', 0, undefined, /header is not a JSON object/],
    ['header that is a list', '[1]', 0, undefined, /header is not a JSON object/],
    [
      'unknown field',
      { [NAME]: { ...entry(0, 8), extra: 1 } },
      8,
      undefined,
      /q_proj.weight: bad header entry/,
    ],
    ['negative offset', { [NAME]: entry(-8, 0) }, 8, undefined, /bad header entry \(data_offsets.0/],
    ['unknown dtype', { [NAME]: entry(0, 8, [2], 'F33') }, 8, undefined, /unknown dtype "F33"/],
    [
      'shape and range that disagree',
      { [NAME]: entry(0, 8, [3]) },
      8,
      undefined,
      /needs 12 bytes, its range has 8/,
    ],
    ['huge shape', { [NAME]: entry(0, 8, [2 ** 52, 2 ** 52]) }, 8, undefined, /its range has 8/],
    ['truncated data', { [NAME]: entry(0, 16) }, 8, undefined, /q_proj.weight: file is truncated/],
    ['overlap', { a: entry(0, 8), [NAME]: entry(4, 12) }, 12, undefined, /q_proj.weight: overlaps/],
    ['gap', { a: entry(0, 4), [NAME]: entry(8, 12) }, 12, undefined, /4 unused bytes before it/],
    ['trailing bytes', { [NAME]: entry(0, 8) }, 12, undefined, /4 bytes after the last tensor/],
  ] as const)('refuses a %s', async (_, header, dataBytes, headerBytes, message) => {
    const path = rawFile(header, new Uint8Array(dataBytes), headerBytes);
    await expect(openSafetensors(path, 'llada')).rejects.toThrow(DataError);
    await expect(openSafetensors(path, 'llada')).rejects.toThrow(message);
    await expect(openSafetensors(path, 'llada')).rejects.toThrow(path);
  });

  it('refuses weights that are not floating point, or not finite, when they are read', async () => {
    const integers = await openSafetensors(
      rawFile({ [NAME]: entry(0, 8, [2], 'I32') }, new Uint8Array(8)),
      'llada',
    );
    await expect(integers.read('blk.0.attn_q.weight')).rejects.toThrow(/stored as I32, weights must be/);
    await integers.close();
    const nan = await openSafetensors(
      rawFile({ [NAME]: entry(0, 4) }, new Uint8Array([0, 0, 0xc0, 0x7f])),
      'llada',
    );
    await expect(nan.read('blk.0.attn_q.weight')).rejects.toThrow(/q_proj.weight: non-finite f32 value/);
    await nan.close();
  });

  it('refuses a missing file, a directory in its place and an empty file', async () => {
    const directory = temporaryDirectory();
    await expect(openSafetensors(directory, 'llada')).rejects.toThrow(
      /no model.safetensors and no shards of one; it has no file of weights/,
    );
    mkdirSync(join(directory, 'x.safetensors'));
    await expect(openSafetensors(join(directory, 'x.safetensors'), 'llada')).rejects.toThrow(
      /not a regular file/,
    );
    writeFileSync(join(directory, 'y.safetensors'), '');
    await expect(openSafetensors(join(directory, 'y.safetensors'), 'llada')).rejects.toThrow(
      /header length: file is truncated/,
    );
  });
});

describe('LLaDA names', () => {
  it('map both ways for every weight', () => {
    for (const id of weightShapes(tinyConfig({ tiedHead: false, qkvBias: true })).keys()) {
      const name = hfNameOf('llada', id);
      expect(name, id).not.toBeNull();
      expect(placeOfHfName('llada', name ?? '')).toEqual({ id: id });
    }
  });

  it('tell the two ff_out apart', () => {
    expect(placeOfHfName('llada', 'model.transformer.ff_out.weight')).toEqual({ id: 'output.weight' });
    expect(placeOfHfName('llada', 'model.transformer.blocks.31.ff_out.weight')).toEqual({
      id: 'blk.31.ffn_down.weight',
    });
    expect(placeOfHfName('llada', 'model.transformer.blocks.31.ff_proj.weight')).toEqual({
      id: 'blk.31.ffn_gate.weight',
    });
    expect(placeOfHfName('llada', 'model.layers.0.mlp.up_proj.weight')).toBeNull();
    expect(placeOfHfName('llada', 'model.transformer.blocks.0.rotary.weight')).toBeNull();
  });
});
