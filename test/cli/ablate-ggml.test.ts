import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LADDER } from '../../experiments/studies/ladder/ladder.js';
import { wrongMeasuredRows } from '../../experiments/studies/ladder/measured/check.js';
import { measuredSchema } from '../../experiments/studies/ladder/measured/types.js';
import { readDeviceRecord } from '../../hw/record/device-record.js';
import { hasGgml } from '../../src/engine/ggml/package.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const quick = ['ablate', '--engine', 'ggml', '--threads', '1', '--gen-length', '16', '--block-length', '8'];

describe.skipIf(!hasGgml())('ablate --engine ggml', () => {
  it('measures every row of the ladder on this machine, beside the simulated one, and records what ran', async () => {
    const out = temporaryDirectory();
    const { code, stdout } = await cli([...quick, '--prompts', '2', '--out', out, '--json']);
    expect(code).toBe(0);
    const ladder = measuredSchema.parse(JSON.parse(stdout));
    expect(measuredSchema.parse(JSON.parse(readFileSync(join(out, 'measured.json'), 'utf8')))).toEqual(
      ladder,
    );
    expect(ladder.rows.map(({ name }) => name)).toEqual(LADDER.map(({ name }) => name));
    const row = (name: string) => ladder.rows.find((one) => one.name === name)!;
    for (const { measured_ms, simulated_ms, ratio, device, reference, passes } of ladder.rows) {
      expect(device).toBe('cpu');
      expect(passes).toBeGreaterThan(0);
      expect(measured_ms.samples).toHaveLength(2);
      const ratios = measured_ms.samples.map((ms, at) => ms / simulated_ms.samples[at]);
      expect(ratio.median).toBeCloseTo((ratios[0] + ratios[1]) / 2, 6);
      expect(ratio.low).toBeLessThanOrEqual(ratio.high);
      // tiny-llada is stored in f32, in which ggml decides as the reference does.
      expect(reference).toEqual({ engine: 'tfjs-wasm', different: 0, compared: 32 });
    }
    // 16 positions, one a step.
    expect(row('CPU').passes).toBe(16);
    expect(row('NPU').measured_as).toBe('CPU');
    expect(row('NPU').measured_ms).toEqual(row('CPU').measured_ms);
    expect(row('NPU').simulated_ms).not.toEqual(row('CPU').simulated_ms);
    expect(row('+ SOMR').measured_as).toBe('CPU + prefix KV');
    expect(row('+ STS')).toMatchObject({ measured_as: null, tokens: { against: 'CPU + prefix KV' } });
    expect(row('+ SLS').tokens).toMatchObject({ equal: true, against: '+ STS', reason: null });
    const record = readDeviceRecord(join(out, 'record-cpu.json'));
    const passesOf = (name: string) => 2 * row(name).passes;
    const once = ladder.rows
      .filter(({ measured_as }) => measured_as === null)
      .map(({ name }) => passesOf(name));
    // And two passes before any prompt.
    expect(record.runs).toHaveLength(2 + once.reduce((sum, passes) => sum + passes, 0));
    expect(ladder.devices).toEqual([
      expect.objectContaining({ name: 'cpu', executionClass: 'ggml-cpu', onCpu: {}, threads: '1' }),
    ]);
    expect(ladder.devices[0].operators).toBe(record.evidence.ggml?.operators);
  });

  it('fails when a row that must have the tokens of another has others', () => {
    const tokens = { equal: false, against: '+ STS', different: 3, compared: 32, reason: null };
    const wrong = wrongMeasuredRows([{ name: '+ SLS', tokens } as never]);
    expect(wrong).toEqual(['+ SLS: 3 of 32 tokens differ from + STS']);
    expect(wrongMeasuredRows([{ name: '+ SLS', tokens: { ...tokens, reason: 'may' } } as never])).toEqual([]);
  });

  it('says in one line what it cannot do', async () => {
    const out = temporaryDirectory();
    const asked = (...more: string[]) => cli([...quick, '--out', out, ...more]);
    expect(await asked('--device', 'htp0')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/there is no device htp0 here, only .*cpu/),
    });
    expect(await asked('--cost-model', 'llada-8b')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--cost-model has no effect: what is measured is the model itself/),
    });
    expect(await cli(['ablate', '--device', 'cpu'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--device has no effect: it is of --engine ggml/),
    });
  });
});
