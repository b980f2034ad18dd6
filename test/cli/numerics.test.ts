import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('numerics', () => {
  const quick = ['numerics', '--n', '1', '--gen-length', '32'];

  it("compares the NPU's arithmetic with f32 and writes what it prints", async () => {
    const out = join(temporaryDirectory(), 'numerics.json');
    const { code, stdout } = await cli([...quick, '--quant', 'q4_0', '--out', out, '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ schema: 'dllm-npu/numerics@1', engine: 'npu-numerics', weights: 'q4_0' });
    const all = report.agreement.at(-1);
    expect(all.rows).toBeGreaterThan(32);
    expect(all.sameBest / all.rows).toBeGreaterThan(0.95);
    expect(all.maxLogitError).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(report);
  });

  it('is in the list of engines of every command, and the default of its own', async () => {
    const help = async (command: string) => (await cli([command, '--help'])).stdout.replace(/\s+/g, ' ');
    for (const command of ['generate', 'logits', 'verify', 'quality']) {
      expect(await help(command)).toMatch(/--engine <name>.*npu-numerics: the NPU's arithmetic/);
    }
    expect(await help('numerics')).toMatch(/the NPU's arithmetic \(default: "npu-numerics"\)/);
    const out = join(temporaryDirectory(), 'logits.f32');
    const asked = ['logits', '--model', 'tiny-llada', '--ids', '0,7,9', '--out', out, '--json'];
    const { stdout } = await cli([...asked, '--engine', 'npu-numerics']);
    expect(JSON.parse(stdout)).toMatchObject({ engine: 'npu-numerics', shape: [3, 446] });
  });

  it('prints a table, takes another engine, and refuses an unknown one', async () => {
    const { code, stdout } = await cli([...quick, '--engine', 'tfjs']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/tfjs-wasm against tfjs-wasm: tiny-llada/);
    expect(stdout).toMatch(/0 of 32 tokens differ/);
    expect((await cli([...quick, '--engine', 'npu-numeric'])).code).toBe(2);
  });
});
