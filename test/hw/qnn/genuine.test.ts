import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calibrate } from '../../../hw/graph/calibrate.js';
import type { Calibration } from '../../../hw/graph/calibration.js';
import type { DeviceRecord } from '../../../hw/record/device-record.js';
import { type DeviceRequest, DeviceSession } from '../../../hw/session/device-session.js';
import { composePolicy } from '../../../src/decode/method/compose.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import { compareEngines } from '../../../src/engine/compare/compare-engines.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.js';
import { type LoadedModel, loadModel } from '../../../src/model/load.js';
import { encodePrompt } from '../../../src/model/prompt.js';
import { generateProblem } from '../../../src/score/problems.js';
import { directoryOf, genuine } from './genuine.js';

const EMULATED_SOC = 69;
const GENERATED = 32;
/** Rows of the denoising passes of the decode below. */
const ROWS = 145;
const policy = composePolicy(policySpecByName('llada.cpp'));

let model: LoadedModel;
let reference: Engine;
let calibration: Calibration;
let promptIds: readonly number[];

beforeAll(async () => {
  model = await loadModel('tiny-llada');
  reference = await createTfjsEngine(model.config, model.weights);
  const prompt = (split: 'heldout' | 'train', index: number) =>
    encodePrompt(model.tokenizer!, generateProblem(1, index, 'long', split).prompt);
  promptIds = prompt('heldout', 0);
  const prompts = Array.from({ length: 16 }, (_, index) => prompt('train', index));
  calibration = await calibrate(model, { policy, prompts, genLength: GENERATED });
});
afterAll(async () => {
  reference?.dispose();
  await model?.weights.close();
});

/** Logits on the passes of the reference, tokens of a generation of its own, and the record of both. */
async function compared(request: Omit<DeviceRequest, 'model' | 'calibration'>) {
  const session = new DeviceSession({ ...request, model, calibration });
  const { agreement, tokens } = await compareEngines({
    reference,
    engine: session.engine,
    policy,
    genLength: GENERATED,
    nearTie: 0.1,
    problems: [{ index: 0, promptIds }],
  });
  const record = await session.finish();
  const all = agreement.find(({ state }) => state === 'all')!;
  return { ...all, different: tokens.different, record };
}

const cpu = await genuine('2.3.0', 'cpu', 1);
const htp = await genuine('2.7.0', 'htp', 3);

/** Every library is named with its SHA-256, the backend and the plugin also with their versions. */
function expectProvenance(record: DeviceRecord, plugin: string, backend: string, build: RegExp): void {
  const version = (name: string) => record.files.find((file) => file.name === name)?.version;
  expect(version('libonnxruntime_providers_qnn.so')).toBe(plugin);
  expect(version(backend)).toMatch(build);
  expect(version('libonnxruntime.so.1')).toBe(record.tool.version);
  const names = record.files.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['model.safetensors', 'r32-c128.onnx', 'libQnnSystem.so']));
  expect(names.some((name) => name.startsWith('libc++'))).toBe(true);
}

// Longer than 20 s: Qualcomm's emulator compiles and runs each graph on CPU cores, a second and more per pass.
describe.skipIf(cpu.missing !== null)('QNN CPU reference backend', () => {
  it('computes the logits and the tokens of the reference in F32', async () => {
    const request = { backend: 'qnn-cpu', qnnDirectory: directoryOf(cpu), numerics: 'f32' } as const;
    const { record, ...found } = await compared(request);
    expect(found).toMatchObject({ rows: ROWS, sameBest: ROWS, different: 0 });
    expect(found.maxLogitError).toBeLessThan(1e-3);
    expect(record.executionClass).toBe('qnn-cpu-ref');
    // Fallback had to be allowed here: the assignment shows that it was not used.
    expect(record.evidence).toMatchObject({ fallbackDisabled: false, foreignNodes: 0, created: true });
    expectProvenance(record, '2.3.0', 'libQnnCpu.so', /^v2\.47\./);
    const timed = record.runs.flatMap(({ ops }) => ops).filter(({ op }) => op === 'blk.3.ffn_down');
    expect(timed).toHaveLength(record.runs.length);
    expect(timed.every(({ us, cycles }) => us! > 0 && cycles === null)).toBe(true);
  });
});

describe.skipIf(htp.missing !== null)('emulated HTP backend', () => {
  // Bounds are about twice what was seen; docs/devices.md has the figures.
  it.each([
    { numerics: 'f16', error: 0.25, kl: 1e-5, turned: 0, tokens: 0 },
    { numerics: 'w8a16', error: 2, kl: 1e-4, turned: 1, tokens: 0 },
    { numerics: 'w4a16', error: 12, kl: 0.004, turned: 6, tokens: 8 },
  ] as const)(
    'stays close to the reference in $numerics',
    async ({ numerics, error, kl, turned, tokens }) => {
      const request = {
        backend: 'htp',
        qnnDirectory: directoryOf(htp),
        socModel: EMULATED_SOC,
        numerics,
      } as const;
      const { record, ...found } = await compared(request);
      expect(found.maxLogitError).toBeLessThan(error);
      expect(found.klMean).toBeLessThan(kl);
      expect(found.different).toBeLessThanOrEqual(tokens);
      expect(found.rows - found.sameBest).toBeLessThanOrEqual(turned);
      expect(record.executionClass).toBe('htp-emulator-x86');
      expect(record.missing).toEqual(['an arm64 target', 'the SoC id read from the device']);
      expect(record.evidence).toMatchObject({ fallbackDisabled: true, foreignNodes: 0, created: true });
      expectProvenance(record, '2.7.0', 'libQnnHtp.so', /^v2\.51\./);
      const timed = record.runs.flatMap(({ ops }) => ops).filter(({ op }) => op === 'blk.3.ffn_down');
      expect(timed).toHaveLength(record.runs.length);
      expect(timed.every(({ us, cycles }) => cycles! > 0 && us === null)).toBe(true);
      expect(record.runs.every(({ acceleratorCycles }) => acceleratorCycles! > 0)).toBe(true);
    },
  );
});
