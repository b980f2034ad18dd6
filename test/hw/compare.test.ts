import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareMarkdown } from '../../hw/compare/markdown.js';
import { compareReport, readCompareReport } from '../../hw/compare/report.js';
import { type Simulated, timesSideBySide } from '../../hw/compare/times.js';
import { NEAR_TIES, verdictOf } from '../../hw/compare/verdict.js';
import { stepGraph } from '../../hw/graph/step-graph.js';
import {
  type DeviceRecord,
  deviceRecord,
  readDeviceRecord,
  writeDeviceRecord,
} from '../../hw/record/device-record.js';
import { EXECUTION_CLASSES } from '../../hw/record/execution-class.js';
import { DeviceSession } from '../../hw/session/device-session.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { compareEngines } from '../../src/engine/compare/compare-engines.js';
import { hasGgml } from '../../src/engine/ggml/package.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { fileSha256, loadModel } from '../../src/model/load.js';
import { encodePrompt } from '../../src/model/prompt.js';
import type { WeightSource } from '../../src/model/weights.js';
import { generateProblem } from '../../src/score/problems.js';
import { project } from '../../src/util/project-root.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const WEIGHTS = 'ab'.repeat(32);
/** One matrix of one layer. */
const PERTURBED = 'blk.1.attn_output.weight';
const identity = { model: 'm', weightsSha256: WEIGHTS, numerics: 'f16' };

/** origin: synthetic. Evidence and times of a phone that never was. */
function phoneRecord(runs: DeviceRecord['runs']): DeviceRecord {
  return deviceRecord(
    {
      targetArch: 'arm64',
      backend: 'htp',
      backendFile: 'libQnnHtp.so',
      fallbackDisabled: true,
      created: true,
      foreignNodes: 0,
      socId: '69',
      acceleratorCycles: 1000,
    },
    {
      tool: { name: 'test', version: null },
      options: {},
      failure: null,
      runs,
      files: [{ name: 'model.safetensors', sha256: WEIGHTS, bytes: 1, version: null }],
      target: { soc: 'SM8750', htpArch: 'v79', os: null },
      model: { name: 'm', numerics: 'f16' },
      startedAt: '2026-01-01T00:00:00Z',
    },
  );
}

const simulated: Simulated = {
  machine: 'chip',
  clockGhz: 2,
  buckets: [
    {
      bucket: { rows: 32, context: 64 },
      ms: 1,
      ops: [
        { op: 'blk.0.q', label: 'q', us: 10 },
        { op: 'blk.1.q', label: 'q', us: 10 },
        { op: 'blk.0.attn', label: 'attention', us: 5 },
      ],
    },
  ],
};

function run(
  ops: DeviceRecord['runs'][number]['ops'],
  acceleratorUs: number | null,
): DeviceRecord['runs'][number] {
  const bucket = { rows: 32, context: 64 };
  return { id: '1.0', bucket, hostMs: 3, acceleratorUs, acceleratorCycles: null, ops };
}

describe('device times beside simulated ones', () => {
  const ops = [
    { op: 'blk.0.q', cycles: null, us: 30 },
    { op: 'blk.0.attn', cycles: 20_000, us: null },
    { op: 'input_convert', cycles: null, us: 10 },
  ];

  it('are means over the runs, matched by operator, with what could not be matched', () => {
    const second = ops.map((op) => ({ ...op, us: op.us === null ? null : op.us + 2 }));
    const times = timesSideBySide(simulated, phoneRecord([run(ops, 500), run(second, 700)]), identity);
    expect(times.refused).toBeNull();
    const [q, attention] = times.operators;
    expect(q).toMatchObject({ label: 'q', simulatedOps: 2, matchedOps: 1, deviceUs: 31, ratio: 3.1 });
    // 20,000 cycles against 5 us at 2 GHz.
    expect(attention).toMatchObject({ label: 'attention', deviceUs: null, deviceCycles: 20_000, ratio: 2 });
    expect(times.passes).toEqual([{ bucket: 'r32-c64', simulatedMs: 1, deviceMs: 0.6, runs: 2 }]);
    expect(times.coverage).toBeGreaterThan(0.99);
    expect(times.coverage).toBeLessThan(1);
  });

  it('are refused for every other class, and then no device number is given', () => {
    const record = phoneRecord([run(ops, 500)]);
    const others = EXECUTION_CLASSES.filter((name) => name !== 'npu-device');
    fc.assert(
      fc.property(fc.constantFrom(...others), (executionClass) => {
        const times = timesSideBySide(simulated, { ...record, executionClass }, identity);
        expect(times.refused).toMatch(/no device times: /);
        expect(times.coverage).toBeNull();
        expect(times.passes.every(({ deviceMs }) => deviceMs === null)).toBe(true);
        for (const { deviceUs, deviceCycles, ratio } of times.operators) {
          expect([deviceUs, deviceCycles, ratio]).toEqual([null, null, null]);
        }
      }),
    );
  });

  it('are refused when the record is of another model, format or set of weights', () => {
    const record = phoneRecord([run(ops, 500)]);
    const refusal = (asked: Partial<typeof identity>) =>
      timesSideBySide(simulated, record, { ...identity, ...asked }).refused;
    expect(refusal({ model: 'other' })).toMatch(/record is of m in f16, this comparison of other/);
    expect(refusal({ numerics: 'f32' })).toMatch(/of m in f32/);
    expect(refusal({ weightsSha256: '00'.repeat(32) })).toMatch(/no file with the weights/);
  });
});

const quick = ['device', 'compare', '--gen-length', '8', '--block-length', '8'];

// Longer than 20 s on a busy machine: three devices decode beside the reference, and the simulator times every pass.
describe('device compare', () => {
  it("runs end to end on ONNX Runtime's CPU, and says why it has no device times", {
    timeout: 60_000,
  }, async () => {
    const out = temporaryDirectory();
    const { code, stdout } = await cli([...quick, '--out', out, '--json']);
    expect(code).toBe(0);
    const report = await readCompareReport(join(out, 'compare.json'));
    expect(JSON.parse(stdout)).toEqual(report);
    expect(report.device).toMatchObject({ executionClass: 'ort-cpu', numerics: 'f32' });
    expect(report.device.files.map(({ name }) => name)).toEqual(
      expect.arrayContaining([expect.stringMatching(/onnxruntime/), 'model.safetensors']),
    );
    expect(report.verdict).toEqual({ agrees: true, reasons: [] });
    expect(report.tokens).toEqual({ compared: 8, different: 0 });
    expect(report.states.length).toBeGreaterThan(0);
    for (const { sameBest, rows, maxLogitError, simulatedMs, deviceMs } of report.states) {
      expect(sameBest).toBe(rows);
      expect(maxLogitError).toBeLessThan(1e-3);
      expect(simulatedMs).toBeGreaterThan(0);
      expect(deviceMs).toBeNull();
    }
    expect(report.times.refused).toMatch(/class ort-cpu.*those of a CPU/);
    const labels = report.times.operators.map(({ label }) => label);
    expect(labels).toEqual(expect.arrayContaining(['q', 'attention', 'down', 'head', 'rmsnorm']));
    const record = await readDeviceRecord(join(out, 'record.json'));
    expect(record.runs.length).toBeGreaterThan(report.states.length);
    const page = readFileSync(join(out, 'compare.md'), 'utf8');
    expect(page).toMatch(/none are filled in: times of class ort-cpu/);
    expect(page + stdout).not.toContain(out);
  });

  it.skipIf(!hasGgml())('runs on a device of ggml, with wall times beside the simulated ones', async () => {
    const out = temporaryDirectory();
    const { code, stdout } = await cli([...quick, '--backend', 'ggml', '--device', 'cpu', '--out', out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Execution class ggml-cpu.*\n/);
    expect(stdout).toMatch(
      /Wall times are medians .* on cpu, \d+ operators, none of them on the CPU beside it/,
    );
    const report = await readCompareReport(join(out, 'compare.json'));
    expect(report.verdict).toEqual({ agrees: true, reasons: [] });
    expect(report.tokens).toEqual({ compared: 8, different: 0 });
    expect(report.times.refused).toMatch(/class ggml-cpu.*those of a CPU/);
    expect(report.device.numerics).toBe('f32');
    for (const { wallMs, deviceMs, simulatedMs, bucket, passRows, reads } of report.states) {
      expect(bucket).toBe(`r${passRows}-c${reads}`);
      expect(wallMs).toBeGreaterThan(0);
      expect(deviceMs).toBeNull();
      expect(simulatedMs).toBeGreaterThan(0);
    }
    const record = await readDeviceRecord(join(out, 'record.json'));
    expect(record).toMatchObject({ executionClass: 'ggml-cpu', tool: { name: 'ggml' }, failure: null });
    expect(record.evidence.ggml).toMatchObject({ device: 'cpu', type: 'cpu', onCpu: {} });
    expect(record.files.map(({ name }) => name)).toEqual(
      expect.arrayContaining([expect.stringMatching(/ggml-base/), 'model.safetensors']),
    );
    const unused = await cli([...quick, '--backend', 'ggml', '--numerics', 'f16', '--out', out]);
    expect(unused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--numerics has no effect: ggml/),
    });
  });

  it('exits with 1 when a format changes decisions that were no near-ties', {
    timeout: 60_000,
  }, async () => {
    const out = temporaryDirectory();
    const coarse = ['--numerics', 'w4a16', '--calibration-problems', '1', '--near-tie', '0.001'];
    const length = ['--gen-length', '32', '--block-length', '32'];
    const { code, stdout, stderr } = await cli(['device', 'compare', ...length, ...coarse, '--out', out]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/error: the device differs: \d+ of \d+ rows have another best token/);
    expect(stdout).toMatch(/Differs: /);
    expect((await readCompareReport(join(out, 'compare.json'))).verdict.agrees).toBe(false);
  });

  it('puts the times of a device record beside the simulated ones, and names the record', {
    timeout: 60_000,
  }, async () => {
    const [out, model] = [temporaryDirectory(), await loadModel('tiny-llada')];
    const sha256 = await fileSha256(model.weightsPath);
    await model.weights.close();
    const bucket = { rows: 32, context: 128 };
    const ops = stepGraph(model.config, bucket).ops.map(({ id }) => ({ op: id, us: 50, cycles: 100_000 }));
    const timed = { id: '1.0', bucket, hostMs: 9, acceleratorUs: 4000, acceleratorCycles: 8e6, ops };
    const record = {
      ...phoneRecord([timed]),
      model: { name: 'tiny-llada', numerics: 'as compiled' },
      files: [{ name: 'model.safetensors', sha256, bytes: 1, version: null }],
    };
    const path = join(out, 'phone.json');
    writeDeviceRecord(path, record);
    const { code, stdout } = await cli([...quick, '--record', path, '--out', out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Device times are those of phone\.json; .* cover 100\.0 %/);
    const report = await readCompareReport(join(out, 'compare.json'));
    expect(report.device.executionClass).toBe('ort-cpu');
    expect(report.times.passes).toEqual([
      expect.objectContaining({ bucket: 'r32-c128', deviceMs: 4, runs: 1 }),
    ]);
    for (const { deviceUs, matchedOps, simulatedOps } of report.times.operators) {
      expect([matchedOps, deviceUs]).toEqual([simulatedOps, 50 * simulatedOps]);
    }
  });

  it('refuses what it cannot run, naming what is missing', async () => {
    const asked = (...more: string[]) =>
      cli([...quick, '--out', temporaryDirectory(), ...more], {
        env: { DLLM_NPU_CACHE: temporaryDirectory() },
      });
    const none = await asked('--backend', 'qnn-cpu');
    expect(none).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/QNN_EP_DIR is not set.*device fetch/),
    });
    expect((await asked('--record', '/nonexistent/record.json')).code).toBe(3);
    expect((await asked('--backend', 'npu')).code).toBe(2);
  });
});

describe('the reference results', () => {
  const place = join(project().root, 'results/reference/device');

  it.each([
    ['ort-cpu', 'ort-cpu'],
    ['qnn-cpu', 'qnn-cpu-ref'],
    ['htp-f16', 'htp-emulator-x86'],
  ])(
    '%s is a report of class %s without device times, and its page says the same',
    async (name, executionClass) => {
      const report = await readCompareReport(join(place, name, 'compare.json'));
      expect(report.device.executionClass).toBe(executionClass);
      expect(report.verdict.agrees).toBe(true);
      expect(report.times.refused).toMatch(/no device times/);
      expect(readFileSync(join(place, name, 'compare.md'), 'utf8')).toBe(compareMarkdown(report));
    },
  );
});

describe('a deliberately perturbed engine', () => {
  it('is caught with its first divergence, although its tokens look plausible', {
    timeout: 60_000,
  }, async () => {
    const model = await loadModel('tiny-llada');
    const reference = await createTfjsEngine(model.config, model.weights);
    const weights: WeightSource = {
      label: 'perturbed',
      names: () => model.weights.names(),
      info: (id) => model.weights.info(id),
      readRaw: (id) => model.weights.readRaw(id),
      close: async () => {},
      read: async (id) => {
        const values = await model.weights.read(id);
        return id === PERTURBED ? values.map((value) => 1.05 * value) : values;
      },
    };
    expect(model.weights.names()).toContain(PERTURBED);
    const session = new DeviceSession({ backend: 'ort-cpu', numerics: 'f32', model: { ...model, weights } });
    const { prompt } = generateProblem(1, 0, 'long', 'heldout');
    const compared = await compareEngines({
      reference,
      engine: session.engine,
      policy: composePolicy(policySpecByName('block-kv')),
      problems: [{ index: 0, promptIds: encodePrompt(model.tokenizer!, prompt) }],
      genLength: 32,
      nearTie: NEAR_TIES.f32,
    });
    const record = await session.finish();
    reference.dispose();
    await model.weights.close();
    const verdict = verdictOf(compared);
    expect(verdict.agrees).toBe(false);
    expect(verdict.reasons.join('; ')).toMatch(/rows have another best token/);
    expect(compared.answers[0].parting).not.toBeNull();
    const buckets = [...new Set(compared.states.map(({ passRows, reads }) => `${passRows} ${reads}`))];
    expect(buckets.length).toBeGreaterThan(0);
    const report = compareReport({
      compared,
      record,
      timed: null,
      profileSha256: WEIGHTS,
      bucketOf: () => ({ rows: 32, context: 128 }),
      simulated: {
        machine: 'chip',
        clockGhz: 2,
        buckets: [{ bucket: { rows: 32, context: 128 }, ms: 1, ops: [] }],
      },
      model: { name: 'tiny-llada', sha256: WEIGHTS },
      genLength: 32,
      gitCommit: undefined,
      numerics: 'f32',
      problems: { n: 1, firstIndex: 0, seed: 1 },
    });
    expect(compareMarkdown(report)).toMatch(/- Differs: .*rows have another best token/);
  });
});
