import { cpSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceEvent } from '../../../hw/graph/device-engine.js';
import { type DeviceRequest, DeviceSession } from '../../../hw/session/device-session.js';
import { type LoadedModel, loadModel } from '../../../src/model/load.js';
import type { Pass } from '../../../src/pass/pass.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { directoryOf, genuine } from './genuine.js';

const old = await genuine('2.3.0', 'cpu', 1);
const htp = await genuine('2.7.0', 'htp', 7);

const PASS: Pass = {
  id: '0.0',
  kind: 'denoise',
  lane: 'main',
  version: 0,
  reads: [],
  logits: [0, 1],
  visibility: 'all',
  rows: [3, 5].map((feed, position) => ({ position, feed })),
};

/** Of four: every case compiles a graph for the emulator in a process of its own. */
async function firstLayer(): Promise<LoadedModel> {
  const model = await loadModel('tiny-llada');
  return { ...model, config: { ...model.config, layers: 1 } };
}

describe.skipIf(htp.missing !== null)('compiled contexts of the emulated HTP backend', () => {
  let model: LoadedModel;
  const kept = temporaryDirectory();
  beforeAll(async () => {
    model = await firstLayer();
  });
  afterAll(() => model?.weights.close());

  /** One pass in a host process of its own. */
  async function once(request: Partial<DeviceRequest>) {
    const opened: Extract<DeviceEvent, { kind: 'opened' }>[] = [];
    const session = new DeviceSession({
      backend: 'htp',
      qnnDirectory: directoryOf(htp),
      socModel: 69,
      numerics: 'f16',
      model,
      ...request,
      onEvent: (event) => event.kind === 'opened' && opened.push(event),
    });
    try {
      const { logits } = await session.engine.run(PASS);
      return { logits, from: opened[0].from, record: await session.finish() };
    } catch (error) {
      await session.finish();
      throw error;
    }
  }

  it.each([false, true])('give the same logits in a fresh process, embedded: %s', async (embed) => {
    const contexts = { directory: embed ? temporaryDirectory() : kept, embed };
    const first = await once({ contexts });
    const again = await once({ contexts });
    expect([first.from, again.from]).toEqual(['graph', 'context']);
    expect(again.logits).toEqual(first.logits);
    const names = again.record.files.map(({ name }) => name);
    expect(names.some((name) => /^r32-c64-[0-9a-f]{12}_ctx\.onnx$/.test(name))).toBe(true);
    expect(names.some((name) => name.endsWith('_ctx_qnn.bin'))).toBe(!embed);
    expect(again.record.executionClass).toBe('htp-emulator-x86');
    const [folder] = readdirSync(contexts.directory);
    expect(readdirSync(join(contexts.directory, folder!)).filter((name) => name.startsWith('.'))).toEqual([]);
    if (embed) return;
    // Another graph is another context: nothing is taken for what it is not. K and V as halves at the boundary change no logit.
    const half = await once({ contexts, kv: 'f16' });
    expect(half.from).toBe('graph');
    expect(half.logits).toEqual(first.logits);
    expect(readdirSync(join(contexts.directory, folder!))).toHaveLength(4);
    for (const name of readdirSync(join(contexts.directory, folder!)))
      if (!names.includes(name)) rmSync(join(contexts.directory, folder!, name));
  });

  it('that are damaged are refused with what to do', async () => {
    // Those of the test before.
    const contexts = { directory: kept, embed: false };
    const [folder] = readdirSync(contexts.directory);
    const binary = readdirSync(join(contexts.directory, folder!)).find((name) => name.endsWith('.bin'))!;
    truncateSync(join(contexts.directory, folder!, binary), 100_000);
    await expect(once({ contexts })).rejects.toThrow(/create session: .*context binary.*remove its folder/);
  });

  it.skipIf(old.missing !== null)('is refused when libraries of two releases are mixed', async () => {
    const mixed = join(temporaryDirectory(), 'onnxruntime_qnn');
    const take = (from: string, name: string) => cpSync(join(from, name), join(mixed, name));
    take(directoryOf(htp), 'libonnxruntime_providers_qnn.so');
    take(directoryOf(old), 'libQnnCpu.so');
    for (const directory of [directoryOf(old), directoryOf(htp)]) {
      const name = 'onnxruntime_qnn.libs';
      cpSync(join(dirname(directory), name), join(dirname(mixed), name), { recursive: true });
    }
    const asked = { backend: 'qnn-cpu', numerics: 'f32', qnnDirectory: mixed } as const;
    const error: unknown = await once(asked).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ exitCode: 3, message: expect.not.stringContaining('\n') });
    expect((error as Error).message).toMatch(/different releases are mixed/);
  });
});

describe.skipIf(htp.missing !== null)('a graph that the backend rejects', () => {
  it.each([
    ['f32', undefined, /rejects this graph: try --numerics f16/],
    ['f16', undefined, /--soc-model 69/],
    ['f16', 999, /declined the graph or a part of it/],
  ] as const)('%s for SoC %s is one line with what to do next', async (numerics, socModel, next) => {
    const model = await firstLayer();
    const session = new DeviceSession({
      backend: 'htp',
      qnnDirectory: directoryOf(htp),
      numerics,
      model,
      socModel,
    });
    const error: unknown = await session.engine.run(PASS).catch((thrown: unknown) => thrown);
    const record = await session.finish();
    await model.weights.close();
    expect(error).toMatchObject({ exitCode: 3, message: expect.stringMatching(next) });
    expect((error as Error).message).not.toMatch(/\n|onnxruntime_src/);
    expect(record).toMatchObject({ executionClass: 'ort-cpu', evidence: { created: false } });
  });
});
