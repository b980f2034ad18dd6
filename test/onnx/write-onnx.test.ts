import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildGraph } from '../../src/model/build-graph.js';
import { precisionFor } from '../../src/model/precision.js';
import { syntheticShapes } from '../../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../../src/model/synthetic/weights.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import type { WeightSource } from '../../src/model/weights.js';
import { decodeModel, type TensorProto } from '../../src/onnx/onnx-proto.js';
import { CONFIG_KEY, writeOnnx } from '../../src/onnx/write-onnx.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const config = syntheticShapes('llada-moe', 'tiny');

async function written(quant: 'f32' | 'f16' | 'q8_0' | 'q4_0', shapes = config, source?: WeightSource) {
  const directory = temporaryDirectory();
  const path = join(directory, 'm.onnx');
  const files = await writeOnnx(shapes, source ?? syntheticWeights(shapes, quant, 3), path);
  return { files, model: decodeModel(readFileSync(path)), directory };
}

function placeOf(tensor: TensorProto) {
  const entries = new Map((tensor.externalData ?? []).map(({ key, value }) => [key, value]));
  return {
    file: entries.get('location'),
    start: Number(entries.get('offset')),
    bytes: Number(entries.get('length')),
  };
}

describe('writeOnnx', () => {
  it('declares the inputs and outputs of the graph, with open rows, prefix and logits rows', async () => {
    const { model } = await written('q4_0');
    const shape = { rows: 3, kvSets: [{ name: 'prefix', length: 5 }], logitsRows: 2, masked: true };
    const graph = buildGraph(config, shape, precisionFor('f32'));
    const role = (...roles: string[]) =>
      [...graph.tensors.values()].filter((tensor) => roles.includes(tensor.role)).map(({ id }) => id);
    expect(model.graph.input.map(({ name }) => name).sort()).toEqual(role('input', 'kv').sort());
    expect(model.graph.output.map(({ name }) => name).sort()).toEqual(role('output').sort());
    const dims = Object.fromEntries(
      [...model.graph.input, ...model.graph.output].map(({ name, type }) => [
        name,
        type.tensorType.shape.dim.map((dim) => ('dimParam' in dim ? dim.dimParam : dim.dimValue)),
      ]),
    );
    expect(dims['kv.prefix.1.v']).toEqual(['prefix', config.kvHeads * config.headDim]);
    expect(dims.logits).toEqual(['logits_rows', config.vocab]);
    expect(dims['blk.0.k_rope']).toEqual(['rows', config.kvHeads * config.headDim]);
  });

  it('says whose model it is', async () => {
    const { model } = await written('f32');
    const entry = model.metadataProps.find(({ key }) => key === CONFIG_KEY);
    expect(JSON.parse(entry?.value ?? '')).toEqual(config);
  });

  it.each(['f32', 'f16', 'q8_0', 'q4_0'] as const)(
    'points every weight of a %s model into the data file, each byte used once',
    async (quant) => {
      const { files, model } = await written(quant);
      const size = statSync(files.dataPath).size;
      expect(size).toBe(files.dataBytes);
      const places = model.graph.initializer.filter((tensor) => tensor.dataLocation === 1).map(placeOf);
      expect(places.length).toBeGreaterThanOrEqual(weightShapes(config).size);
      let end = 0;
      for (const { file, start, bytes } of places.sort((a, b) => a.start - b.start)) {
        expect(file).toBe('m.onnx.data');
        expect(start).toBeGreaterThanOrEqual(end);
        end = start + bytes;
        expect(end).toBeLessThanOrEqual(size);
      }
    },
  );

  it('writes every node after the nodes it reads, each name once', async () => {
    const { model } = await written('q4_0');
    const known = new Set([
      ...model.graph.input.map(({ name }) => name),
      ...model.graph.initializer.map(({ name }) => name),
    ]);
    for (const node of model.graph.node) {
      for (const input of node.input) expect(known.has(input), `${node.name} reads ${input}`).toBe(true);
      for (const output of node.output) {
        expect(known.has(output), `${output} is written twice`).toBe(false);
        known.add(output);
      }
    }
    for (const { name } of model.graph.output) expect(known.has(name)).toBe(true);
  });

  it('stores a tied table once for look-up and head', async () => {
    const tied = tinyConfig({ hidden: 64, headDim: 16, ffn: 96, vocab: 64 });
    const { model } = await written('q4_0', tied, syntheticWeights(tied, 'q4_0', 1));
    const codes = model.graph.initializer.filter(({ name }) => name.startsWith('token_embd.weight.codes'));
    expect(codes).toHaveLength(2);
    expect(placeOf(codes[0]!)).toEqual(placeOf(codes[1]!));
  });

  it('gives the same bytes for the same weights', async () => {
    const [a, b] = [await written('q4_0'), await written('q4_0')];
    expect(readFileSync(a.files.path).equals(readFileSync(b.files.path))).toBe(true);
    expect(readFileSync(a.files.dataPath).equals(readFileSync(b.files.dataPath))).toBe(true);
  });

  it('leaves nothing behind when a weight cannot be read or the user stops', async () => {
    const tiny = tinyConfig();
    const weights = randomWeights(tiny);
    const broken = { ...weights, readRaw: async () => Promise.reject(new Error('disk on fire')) };
    const directory = temporaryDirectory();
    const path = join(directory, 'm.onnx');
    await expect(writeOnnx(tiny, broken, path)).rejects.toThrow(/disk on fire/);
    const controller = new AbortController();
    const stop = { signal: controller.signal, onProgress: () => controller.abort() };
    await expect(writeOnnx(tiny, weights, path, stop)).rejects.toThrow(/abort/i);
    expect(readdirSync(directory)).toEqual([]);
    const missing = {
      ...weights,
      info: (id: string) => (id === 'blk.1.ffn_up.weight' ? undefined : weights.info(id)),
    };
    await expect(writeOnnx(tiny, missing, path)).rejects.toThrow(
      /blk.1.ffn_up.weight of tiny-random is missing/,
    );
  });
});
