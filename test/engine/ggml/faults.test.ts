import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readDeviceRecord } from '../../../hw/record/device-record.js';
import { openBackend } from '../../../src/engine/ggml/backend.js';
import { createGgmlEngine } from '../../../src/engine/ggml/engine.js';
import { loadGgml } from '../../../src/engine/ggml/library.js';
import { NativeSlots } from '../../../src/engine/ggml/native-slots.js';
import { findGgml, hasGgml } from '../../../src/engine/ggml/package.js';
import { EnvironmentError } from '../../../src/errors.js';
import { bytesOf } from '../../../src/model/dtype.js';
import { weightShapes } from '../../../src/model/weight-ids.js';
import type { WeightSource } from '../../../src/model/weights.js';
import { denoisePass, randomRows } from '../../support/passes.js';
import { cli } from '../../support/run-cli.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const config = tinyConfig();

async function fault(work: () => unknown): Promise<string> {
  const error = await Promise.resolve()
    .then(work)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EnvironmentError);
  const { message } = error as Error;
  // One line, and the way out.
  expect(message).not.toContain('\n');
  expect(message).toMatch(/npm install|--engine|--device/);
  return message;
}

describe('an environment without ggml', () => {
  it('says which package is missing and how it is installed', async () => {
    const message = await fault(() => findGgml({}, ['no-such-machine']));
    expect(message).toMatch(/libraries are not installed; npm install koffi @node-llama-cpp\/.*@3\.22\.1/);
  });

  it('says so where there is no prebuilt package', async () => {
    expect(await fault(() => findGgml({}, []))).toMatch(/its libraries are not installed/);
  });
});

describe.skipIf(!hasGgml())('memory that is not there', () => {
  /** More than any address space holds. */
  const HUGE = tinyConfig({ vocab: 2 ** 42, tiedHead: true });

  it('for weights: before anything of them is read', async () => {
    const shapes = weightShapes(HUGE);
    const info = (id: string) => {
      const shape = shapes.get(id)!;
      return { shape, dtype: 'f32' as const, bytes: bytesOf(shape, 'f32') };
    };
    const read = () => Promise.reject(new Error('nothing is to be read'));
    const names = () => [...shapes.keys()];
    const source: WeightSource = { label: 'huge', names, info, read, readRaw: read, close: async () => {} };
    expect(await fault(() => createGgmlEngine(HUGE, source))).toMatch(/cpu has no room for the weights/);
  });

  it('for K and V: the engine goes on', async () => {
    const ggml = loadGgml();
    const backend = openBackend(ggml, 'cpu');
    const slots = new NativeSlots(ggml, backend, config, () => {});
    expect(await fault(() => slots.grow(2 ** 42))).toMatch(/no \d+ MB on cpu for K and V of \d+ positions/);
    slots.grow(32);
    expect(slots.capacity).toBe(32);
    slots.free();
    backend.free();
  });

  it('for the values of a pass', async () => {
    const engine = await createGgmlEngine(config, randomWeights(config));
    vi.spyOn(loadGgml().api, 'ggml_gallocr_alloc_graph').mockReturnValueOnce(false);
    const pass = denoisePass(1, randomRows(config, 4, 1));
    expect(await fault(() => engine.run(pass))).toMatch(/cpu has no room for the values of a pass/);
    // Nothing was written: the same pass runs when there is room.
    expect((await engine.run(pass)).logits).toHaveLength(4 * config.vocab);
    engine.dispose();
  });
});

describe.skipIf(!hasGgml())('a device that is lost in the middle', () => {
  it('ends with one line, exit code 3, and a record of how far it came', async () => {
    const { api } = loadGgml();
    const compute = api.ggml_backend_graph_compute;
    let passes = 0;
    vi.spyOn(api, 'ggml_backend_graph_compute').mockImplementation((...args) =>
      ++passes > 3 ? -1 : compute(...args),
    );
    const out = temporaryDirectory();
    const asked = [
      '--backend',
      'ggml',
      '--threads',
      '1',
      '--policy',
      'llada',
      '--gen-length',
      '8',
      '--block-length',
      '8',
    ];
    const { code, stderr } = await cli(['device', 'run', ...asked, '--out', out]);
    expect(code).toBe(3);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /^error: run: .*a pass on cpu did not end: it failed; the device may be lost; try again, or use --device cpu/,
    );
    const record = readDeviceRecord(join(out, 'record.json'));
    expect(record.failure).toMatchObject({ kind: 'crashed', stage: 'run' });
    expect(record.runs).toHaveLength(4);
  });
});
