import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const directory = temporaryDirectory();
const gguf = join(directory, 'tiny.gguf');
const step = ['simulate', 'step', '--rows', '1', '--memory', 'unlimited', '--json'];

interface Step {
  readonly quant: string;
  readonly rows: readonly { readonly ms: number; readonly splits: number }[];
}

async function timed(...argv: string[]): Promise<Step> {
  const { stdout, stderr, code } = await cli([...step, ...argv]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Step;
}

beforeAll(async () => {
  const { code } = await cli(['convert', 'tiny-llada', gguf, '--quant', 'q8_0']);
  expect(code).toBe(0);
});

describe('--model of simulate and explain', () => {
  it('takes a .gguf file with the formats of its tensors, a directory and a config.json', async () => {
    const file = await timed('--model', gguf);
    expect(file.quant).toBe('as stored');
    expect(await timed('--model', gguf, '--quant', 'q8_0')).toMatchObject({ quant: 'q8_0' });
    const models = join(project().root, 'models', 'tiny-llada');
    const [folder, config, shipped] = [
      await timed('--model', models),
      await timed('--model', join(models, 'config.json')),
      await timed('--model', 'tiny-llada'),
    ];
    expect(folder.rows[0].ms).toBe(config.rows[0].ms);
    expect(shipped.rows[0].ms).toBe(config.rows[0].ms);
    const { code } = await cli(['explain', '--rows', '1', '--memory', 'unlimited', '--model', gguf]);
    expect(code).toBe(0);
  });

  it('times recipes, dates of a stack, and says how often the graph changes processors', async () => {
    const argv = ['--model', 'qwen3-0.6b', '--quant', 'q4_0-imatrix', '--stack'];
    const before = await timed(...argv, 'llama.cpp-hexagon@2026-05-24');
    const after = await timed(...argv, 'llama.cpp-hexagon@2026-05-25');
    expect(before.rows[0].splits).toBeGreaterThan(after.rows[0].splits);
    expect(after.rows[0].splits).toBe(2);
    const { stdout } = await cli([
      'explain',
      '--rows',
      '1',
      '--memory',
      'unlimited',
      ...argv,
      'llama.cpp-hexagon',
    ]);
    expect(stdout).toMatch(/wake-up/);
    expect(stdout).toMatch(/changes processors 2 times a pass/);
  });

  it('refuses what is none of them', async () => {
    for (const model of ['qwen3-4', './nothing.gguf', './nothing/config.json']) {
      const { code, stderr } = await cli([...step, '--model', model]);
      expect(code, stderr).toBeGreaterThan(0);
      expect(stderr).toContain(model.replace('./', ''));
    }
  });
});
