import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCompareReport } from '../../../hw/compare/report.js';
import { calibrate } from '../../../hw/graph/calibrate.js';
import type { Calibration } from '../../../hw/graph/calibration.js';
import { type DeviceRecord, readDeviceRecord } from '../../../hw/record/device-record.js';
import { DeviceSession } from '../../../hw/session/device-session.js';
import { composePolicy } from '../../../src/decode/method/compose.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import { compareEngines } from '../../../src/engine/compare/compare-engines.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.js';
import { type LoadedModel, loadModel } from '../../../src/model/load.js';
import { encodePrompt } from '../../../src/model/prompt.js';
import { generateProblem } from '../../../src/score/problems.js';
import { cli } from '../../support/run-cli.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { directoryOf, genuine } from './genuine.js';

const EMULATED_SOC = 69;
/** Rows of two denoising passes over eight positions. */
const ROWS = 16;

/** Every library is named with its SHA-256, the backend and the plugin also with their versions. */
function expectProvenance(record: DeviceRecord, plugin: string, backend: string, build: RegExp): void {
  const version = (name: string) => record.files.find((file) => file.name === name)?.version;
  expect(version('libonnxruntime_providers_qnn.so')).toBe(plugin);
  expect(version(backend)).toMatch(build);
  expect(version('libonnxruntime.so.1')).toBe(record.tool.version);
  const names = record.files.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['model.safetensors', 'libQnnSystem.so']));
  expect(names.some((name) => /^r32-c\d+\.onnx$/.test(name))).toBe(true);
  expect(names.some((name) => name.startsWith('libc++'))).toBe(true);
}

function expectEmulation(record: DeviceRecord): void {
  expect(record.executionClass).toBe('htp-emulator-x86');
  expect(record.missing).toEqual(['an arm64 target', 'the SoC id read from the device']);
  expect(record.evidence).toMatchObject({ fallbackDisabled: true, foreignNodes: 0, created: true });
  expectProvenance(record, '2.7.0', 'libQnnHtp.so', /^v2\.51\./);
  const timed = record.runs.flatMap(({ ops }) => ops).filter(({ op }) => op === 'blk.3.ffn_down');
  expect(timed).toHaveLength(record.runs.length);
  expect(timed.every(({ us, cycles }) => cycles! > 0 && us === null)).toBe(true);
  expect(record.runs.every(({ acceleratorCycles }) => acceleratorCycles! > 0)).toBe(true);
}

const cpu = await genuine('2.3.0', 'cpu', 1);
const htp = await genuine('2.7.0', 'htp', 3);

// Longer than 20 s: Qualcomm's emulator compiles and runs each graph on CPU cores, a second and more per pass. So there are few:
// a prompt, one or two denoising passes, and both again when the device decodes on its own.
describe('device compare with the genuine plugin', () => {
  async function compare(libraries: string, ...asked: string[]) {
    const out = temporaryDirectory();
    const short = ['--gen-length', '8', '--block-length', '8', '--policy', 'threshold'];
    const { code, stderr } = await cli(['device', 'compare', ...short, ...asked, '--out', out], {
      env: { QNN_EP_DIR: libraries },
    });
    expect(stderr).toMatch(/written to/);
    expect(code).toBe(0);
    const report = await readCompareReport(join(out, 'compare.json'));
    const record = readDeviceRecord(join(out, 'record.json'));
    const all = report.agreement.find(({ state }) => state === 'all')!;
    return { report, record, all };
  }

  it.skipIf(cpu.missing !== null)(
    "computes the logits and the tokens of the reference on QNN's own, in F32",
    async () => {
      const { report, record, all } = await compare(directoryOf(cpu), '--backend', 'qnn-cpu');
      expect(all).toMatchObject({ rows: ROWS, sameBest: ROWS });
      expect(all.maxLogitError).toBeLessThan(1e-3);
      expect(report.tokens).toEqual({ compared: 8, different: 0 });
      expect(report.times.refused).toMatch(/reference code on a CPU/);
      expect(report.device.executionClass).toBe('qnn-cpu-ref');
      expect(record.executionClass).toBe('qnn-cpu-ref');
      // Fallback had to be allowed here: the assignment shows that it was not used.
      expect(record.evidence).toMatchObject({ fallbackDisabled: false, foreignNodes: 0, created: true });
      expectProvenance(record, '2.3.0', 'libQnnCpu.so', /^v2\.47\./);
      const timed = record.runs.flatMap(({ ops }) => ops).filter(({ op }) => op === 'blk.3.ffn_down');
      expect(timed).toHaveLength(record.runs.length);
      expect(timed.every(({ us, cycles }) => us! > 0 && cycles === null)).toBe(true);
    },
  );

  it.skipIf(htp.missing !== null)(
    'agrees on the emulated NPU in halves, also where a residual is large',
    async () => {
      const asked = ['--backend', 'htp', '--numerics', 'f16', '--soc-model', String(EMULATED_SOC)];
      const { report, record, all } = await compare(directoryOf(htp), ...asked);
      expect(all).toMatchObject({ rows: ROWS, sameBest: ROWS });
      // Before rows were scaled for their norm, squares left the range of a half and logits were off by 14.
      expect(all.maxLogitError).toBeLessThan(0.15);
      expect(all.klMean).toBeLessThan(1e-5);
      expect(report.tokens).toEqual({ compared: 8, different: 0 });
      expect(report.times.refused).toMatch(/emulation on a PC/);
      expect(report.device.executionClass).toBe('htp-emulator-x86');
      expectEmulation(record);
    },
  );
});

/** What is decoded; under `npm run fuzz` what docs/devices.md has the figures of. */
const LONG = process.env.DLLM_FUZZ_RUNS !== undefined;
const GENERATED = LONG ? 32 : 8;
const spec = policySpecByName(LONG ? 'llada.cpp' : 'threshold');
// Everything in one pass.
const policy = composePolicy(
  LONG ? spec : { ...spec, blockLength: GENERATED, commit: { kind: 'threshold', tau: 0 } },
);

interface Bound {
  readonly numerics: 'w8a16' | 'w4a16';
  readonly error: number;
  readonly kl: number;
  readonly turned: number;
  readonly tokens: number;
}

/** The emulation is the same on every run: a third above what was seen, twice for the long run. */
const BOUNDS: readonly Bound[] = LONG
  ? [
      { numerics: 'w8a16', error: 2, kl: 1e-4, turned: 1, tokens: 0 },
      { numerics: 'w4a16', error: 12, kl: 0.004, turned: 6, tokens: 8 },
    ]
  : [
      { numerics: 'w8a16', error: 0.55, kl: 3.2e-6, turned: 0, tokens: 0 },
      { numerics: 'w4a16', error: 4.2, kl: 7e-5, turned: 0, tokens: 0 },
    ];

describe.skipIf(htp.missing !== null)('emulated HTP backend', () => {
  let model: LoadedModel;
  let reference: Engine;
  let calibration: Calibration;
  let promptIds: readonly number[];

  beforeAll(async () => {
    model = await loadModel('tiny-llada');
    reference = await createTfjsEngine(model.config, model.weights);
    const prompt = (split: 'heldout' | 'train', index: number) =>
      encodePrompt(model.tokenizer!, generateProblem(1, index, LONG ? 'long' : 'short', split).prompt);
    promptIds = prompt('heldout', 0);
    const prompts = Array.from({ length: 16 }, (_, index) => prompt('train', index));
    calibration = await calibrate(model, { policy, prompts, genLength: GENERATED });
  });
  afterAll(async () => {
    reference?.dispose();
    await model?.weights.close();
  });

  it.each(BOUNDS)(
    'stays close to the reference in $numerics',
    async ({ numerics, error, kl, turned, tokens }) => {
      const session = new DeviceSession({
        backend: 'htp',
        qnnDirectory: directoryOf(htp),
        socModel: EMULATED_SOC,
        numerics,
        model,
        calibration,
      });
      const problems = [{ index: 0, promptIds }];
      const asked = {
        reference,
        engine: session.engine,
        policy,
        genLength: GENERATED,
        nearTie: 0.1,
        problems,
      };
      const compared = await compareEngines(asked);
      const record = await session.finish();
      const all = compared.agreement.find(({ state }) => state === 'all')!;
      expect(all.maxLogitError).toBeLessThan(error);
      expect(all.klMean).toBeLessThan(kl);
      expect(compared.tokens.different).toBeLessThanOrEqual(tokens);
      expect(all.rows - all.sameBest).toBeLessThanOrEqual(turned);
      expectEmulation(record);
    },
  );
});
