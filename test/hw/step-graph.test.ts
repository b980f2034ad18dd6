import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bucketFor } from '../../hw/graph/buckets.js';
import { calibrate } from '../../hw/graph/calibrate.js';
import { Calibration } from '../../hw/graph/calibration.js';
import { DeviceEngine, type DeviceEvent } from '../../hw/graph/device-engine.js';
import { activationScale, packNibbles, quantizeRows } from '../../hw/graph/quantize.js';
import { buildStepGraph, stepGraph } from '../../hw/graph/step-graph.js';
import { OrtHost } from '../../hw/ort/host.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { type LoadedModel, loadModel } from '../../src/model/load.js';
import { encodePrompt } from '../../src/model/prompt.js';
import { decodeModel } from '../../src/onnx/onnx-proto.js';
import { generateProblem } from '../../src/score/problems.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const BUCKET = { rows: 32, context: 64 };

const onCpu = {
  startHost: async () => (await OrtHost.start({ plugin: null })).host,
  provider: null,
  config: {},
} as const;

describe('buckets', () => {
  it('hold the pass, in the sizes a device graph is compiled for', () => {
    expect(bucketFor(1, 0, 256)).toEqual({ rows: 32, context: 64 });
    expect(bucketFor(33, 65, 256)).toEqual({ rows: 64, context: 128 });
    expect(bucketFor(129, 0, 4096)).toEqual({ rows: 256, context: 64 });
    expect(() => bucketFor(500, 500, 256)).toThrow(/no bucket/);
  });
});

describe('quantisation', () => {
  it('is off by at most half a step, per channel', () => {
    const weights = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.constantFrom(4 as const, 8 as const), (list, bits) => {
        const values = Float32Array.from(list);
        const { codes, scales } = quantizeRows(values, 2, 4, bits);
        values.forEach((value, i) => {
          const scale = scales[Math.floor(i / 4)];
          expect(Math.abs(value - codes[i] * scale)).toBeLessThanOrEqual(scale * 0.5001);
        });
      }),
    );
  });

  it('packs the first code into the low half of a byte', () => {
    expect([...packNibbles(Int8Array.of(1, -1, 7))]).toEqual([0xf1, 0x07]);
  });

  it('represents 0 exactly', () => {
    for (const range of [
      { min: -3, max: 5 },
      { min: 1, max: 2 },
      { min: 0, max: 0 },
    ]) {
      const { scale, zeroPoint } = activationScale(range);
      expect(zeroPoint).toBeGreaterThanOrEqual(0);
      expect(zeroPoint).toBeLessThanOrEqual(65535);
      expect(scale).toBeGreaterThan(0);
    }
  });
});

describe('device graph on ONNX Runtime', () => {
  let model: LoadedModel;
  beforeAll(async () => {
    model = await loadModel('tiny-llada');
  });
  afterAll(() => model?.weights.close());

  it('decodes the shipped model to the tokens of the reference; in W8A16 too', {
    timeout: 120_000,
  }, async () => {
    const reference = await createTfjsEngine(model.config, model.weights);
    const events: DeviceEvent[] = [];
    const onEvent = (event: DeviceEvent) => events.push(event);
    const device = new DeviceEngine(model.config, model.weights, { ...onCpu, numerics: 'f32', onEvent });
    const promptIds = encodePrompt(model.tokenizer!, generateProblem(1, 0, 'long', 'heldout').prompt);
    const policy = composePolicy(policySpecByName('block-kv'));
    const request = { policy, promptIds, genLength: 32 };
    const calibration = await calibrate(model, { policy, prompts: [promptIds], genLength: 32 });
    const wanted = await decode({ ...request, engine: reference });
    expect((await decode({ ...request, engine: device })).tokens).toEqual(wanted.tokens);
    const opened = events.filter((event) => event.kind === 'opened');
    expect(opened.flatMap(({ assignments }) => assignments.map(({ provider }) => provider))).toContain(
      'CPUExecutionProvider',
    );
    const quantized = new DeviceEngine(model.config, model.weights, {
      ...onCpu,
      numerics: 'w8a16',
      calibration,
    });
    expect((await decode({ ...request, engine: quantized })).tokens).toEqual(wanted.tokens);
    await Promise.all([device.close(), quantized.close()]);
    reference.dispose();
  });

  it('ends before the head when the CPU has it, and decodes to the same tokens', async () => {
    const device = new DeviceEngine(model.config, model.weights, { ...onCpu, numerics: 'f32', head: 'cpu' });
    const whole = new DeviceEngine(model.config, model.weights, { ...onCpu, numerics: 'f32' });
    const promptIds = encodePrompt(model.tokenizer!, generateProblem(1, 3, 'long', 'heldout').prompt);
    const policy = composePolicy(policySpecByName('llada.cpp'));
    const [split, together] = [
      await decode({ policy, promptIds, genLength: 32, engine: device }),
      await decode({ policy, promptIds, genLength: 32, engine: whole }),
    ];
    expect(split.tokens).toEqual(together.tokens);
    await Promise.all([device.close(), whole.close()]);
    const options = { bucket: { rows: 32, context: 64 }, numerics: 'f32', head: false, kv: 'f32' } as const;
    const { io } = await buildStepGraph(model.config, model.weights, options);
    expect(io.result).toBe('output_norm');
  });

  it('has a scale per 32 weights in W4A16, and refuses rows that are no whole blocks', async () => {
    const calibration = new Calibration();
    for (const { id } of stepGraph(model.config, BUCKET).tensors.values())
      calibration.observe(id, Float32Array.of(1));
    const options = { bucket: BUCKET, numerics: 'w4a16', head: true, calibration } as const;
    const built = await buildStepGraph(model.config, model.weights, options);
    const { graph } = decodeModel(readFileSync(await built.write(temporaryDirectory())));
    const dims = new Map(graph.initializer.map((tensor) => [tensor.name, [...tensor.dims].map(Number)]));
    expect(dims.get('blk.0.ffn_down.weight.w4.codes')).toEqual([128, 384]);
    expect(dims.get('blk.0.ffn_down.weight.w4.scales')).toEqual([128, 12]);
    // The head keeps 8 bits and a scale per token.
    expect(dims.get('token_embd.weight.w8.scales')).toEqual([446]);
    const config = { ...model.config, ffn: 380 };
    await expect(buildStepGraph(config, model.weights, options)).rejects.toThrow(/no whole blocks of 32/);
  });

  it('refuses quantised numerics without calibration', async () => {
    const options = { bucket: { rows: 32, context: 64 }, numerics: 'w4a16', head: true, kv: 'f32' } as const;
    await expect(buildStepGraph(model.config, model.weights, options)).rejects.toThrow(/needs calibrated/);
  });
});
