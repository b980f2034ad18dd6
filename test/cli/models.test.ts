import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let folder: string;
let tiny: string;
beforeAll(async () => {
  folder = temporaryDirectory();
  process.env.XDG_CACHE_HOME = join(folder, 'cache');
  tiny = join(folder, 'tiny.gguf');
  expect((await cli(['synth', tiny, '--arch', 'llada', '--quant', 'q4_0'])).code).toBe(0);
});

const floats = (path: string) => new Float32Array(new Uint8Array(readFileSync(path)).buffer);

async function json<T>(argv: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await cli([...argv, '--json']);
  // A file is run by the fastest engine there is, and which that is depends on the machine.
  expect(stderr.replace(/^engine: \w+ \(--engine to choose another\)\n/, '')).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

describe('model files on the command line', () => {
  it('inspect shows configuration, tensors and sizes', async () => {
    const shown = await json<{ config: { arch: string }; formats: object; tensors: { name: string }[] }>([
      'inspect',
      tiny,
    ]);
    expect(shown.config.arch).toBe('llada');
    expect(Object.keys(shown.formats).sort()).toEqual(['f32', 'q4_0']);
    expect(shown.tensors.map(({ name }) => name)).toContain('blk.1.ffn_down.weight');
    const text = (await cli(['inspect', tiny, '--tensors'])).stdout;
    expect(text).toMatch(/blk\.0\.attn_q\.weight {2,}q4_0 {2,}\[64, 64\] {2,}2,304/);
    expect(text).toMatch(/no tokenizer/);
  });

  it('logits agree between the engines, and depend on --causal', async () => {
    const path = (name: string) => join(folder, `${name}.f32`);
    const run = (name: string, ...rest: string[]) =>
      json<{ shape: number[] }>([
        'logits',
        '--model',
        tiny,
        '--ids',
        '9,8,7,6',
        '--out',
        path(name),
        ...rest,
      ]);
    expect((await run('tfjs')).shape).toEqual([4, 512]);
    await run('ort', '--engine', 'ort', '--threads', '2');
    await run('causal', '--engine', 'ort', '--causal');
    const [a, b, c] = ['tfjs', 'ort', 'causal'].map((name) => floats(path(name)));
    expect(a).toHaveLength(4 * 512);
    const differ = (x: Float32Array, y: Float32Array) =>
      x.reduce((worst, value, i) => Math.max(worst, Math.abs(value - y[i]!)), 0);
    expect(differ(a!, b!)).toBeLessThan(1e-3);
    expect(differ(b!, c!)).toBeGreaterThan(0.1);
  });

  it('converts safetensors to GGUF and back without loss, and copies codes when nothing changes', async () => {
    const [gguf, copy, back] = ['a.gguf', 'b.gguf', 'back'].map((name) => join(folder, name));
    await json(['convert', 'tiny-llada', gguf!]);
    await json(['convert', gguf!, back!]);
    const logits = async (model: string) => {
      const out = join(folder, 'l.f32');
      await json(['logits', '--model', model, '--ids', '0,20,30,5,5', '--out', out]);
      return floats(out);
    };
    const original = await logits('tiny-llada');
    expect(await logits(gguf!)).toEqual(original);
    expect(await logits(back!)).toEqual(original);
    await json(['convert', tiny, copy!]);
    expect(readFileSync(copy!).equals(readFileSync(tiny))).toBe(true);
  });

  it('keeps the tokenizer on the way through GGUF', async () => {
    const gguf = join(folder, 'with-tokenizer.gguf');
    await json(['convert', 'tiny-llada', gguf]);
    const shown = await json<{ tokenizer: { size: number } }>(['inspect', gguf]);
    const original = await json<{ tokenizer: { size: number } }>(['inspect', 'tiny-llada']);
    expect(shown.tokenizer).toEqual(original.tokenizer);
  });

  it('converts to ONNX with its data beside it', async () => {
    const out = join(folder, 'onnx', 'm.onnx');
    await json(['convert', tiny, out]);
    expect(readdirSync(join(folder, 'onnx')).sort()).toEqual(['m.onnx', 'm.onnx.data']);
  });

  it('generates from ids, the same tokens by either engine', async () => {
    const argv = [
      'generate',
      '--model',
      tiny,
      '--prompt-ids',
      '9,8,7',
      '--policy',
      'block-kv',
      '--gen-length',
      '32',
    ];
    interface Generated {
      tokens: number[];
      text: string | null;
      nfe: number;
      rows: number;
      seconds: number;
    }
    const tfjs = await json<Generated>([...argv, '--engine', 'tfjs']);
    const ort = await json<Generated>([...argv, '--engine', 'ort']);
    expect(ort.tokens).toEqual(tfjs.tokens);
    expect(ort.text).toBeNull();
    expect(ort.nfe).toBeGreaterThan(31);
    expect(ort.rows).toBeGreaterThan(32 * 32);
    const quarter = await json<Generated>([...argv, '--engine', 'ort', '--steps', '8']);
    expect(quarter.nfe).toBe(ort.nfe - 24);
  });

  it('takes the prompt as argument or as --prompt, not both', async () => {
    const rest = ['--policy', 'threshold', '--gen-length', '32'];
    const one = await json<{ tokens: number[]; rows: number }>([
      'generate',
      '--prompt',
      'A flip 1 2',
      ...rest,
    ]);
    const other = await json<{ tokens: number[] }>(['generate', 'A flip 1 2', ...rest]);
    expect(one.tokens).toEqual(other.tokens);
    const { code, stderr } = await cli(['generate', 'flip 1', '--prompt', 'flip 2']);
    expect([code, stderr]).toEqual([2, 'error: give the prompt as argument or as --prompt, not both\n']);
  });

  it('decodes a causal model token by token unless told otherwise', async () => {
    const llama = join(folder, 'llama.gguf');
    await json(['synth', llama, '--arch', 'llama', '--quant', 'f32']);
    const argv = ['generate', '--model', llama, '--prompt-ids', '9,8,7', '--gen-length', '12'];
    const tfjs = await json<{ policy: string; nfe: number; rows: number; tokens: number[] }>(argv);
    expect(tfjs).toMatchObject({ policy: 'autoregressive', nfe: 12, rows: 14 });
    const ort = await json<{ tokens: number[] }>([...argv, '--engine', 'ort', '--policy', 'autoregressive']);
    expect(ort.tokens).toEqual(tfjs.tokens);
    const wrong = await cli([...argv, '--policy', 'block-kv', '--block-length', '4']);
    expect(wrong.stderr).toMatch(/has no mask token.*take --policy autoregressive/);
    expect(wrong.code).toBe(2);
  });

  it('answers every prompt of a file', async () => {
    const file = join(folder, 'prompts.jsonl');
    writeFileSync(file, '{"prompt":"A flip 1 2"}\n\n{"question":"A calc 1 + 1","answer":"2"}\n');
    const { code, stdout, stderr } = await cli([
      'generate',
      '--prompts',
      file,
      '--policy',
      'threshold',
      '--gen-length',
      '32',
      '--json',
    ]);
    expect([code, stderr]).toEqual([0, '1 of 2 prompts\n']);
    const { prompts } = JSON.parse(stdout) as { prompts: { prompt: string; text: string }[] };
    expect(prompts.map(({ prompt }) => prompt)).toEqual(['A flip 1 2', 'A calc 1 + 1']);
    for (const { text } of prompts) expect(text).not.toBe('');
  });
});

describe('bad input: one line', () => {
  const lines = () => join(folder, 'bad.jsonl');
  it.each([
    [['generate', '--prompt-ids', '1,x'], /Expected an integer from 0/, 2],
    [['generate', '--prompt-ids', '1', '--prompts', 'f'], /give one of a prompt, --problem/, 2],
    [['generate', '--prompt-ids', '512', '--model', '@'], /token id 512 is outside the vocabulary/, 2],
    [
      ['generate', '--prompt-ids', '1', '--model', '@', '--gen-length', '40'],
      /40 is not a multiple of the block/,
      2,
    ],
    [['generate', '--prompt-ids', '1', '--model', '@', '--gen-length', '512'], /exceed the context .*512/, 2],
    [['generate', 'hello', '--model', '@'], /has no tokenizer.*--prompt-ids/, 2],
    [['generate', 'x', '--engine', 'orr'], /unknown engine "orr": did you mean ort/, 2],
    [['generate', 'x', '--backend', 'wasn'], /unknown backend "wasn": did you mean wasm/, 2],
    [
      ['generate', 'x', '--engine', 'ort', '--compute', 'int4'],
      /unknown compute "int4": did you mean int8/,
      2,
    ],
    [['generate', 'x', '--template', 'chit'], /unknown template "chit": did you mean chat/, 2],
    [
      ['generate', 'x', '--steps', '9', '--policy', 'block-kv'],
      /--steps 9 must be a multiple of the 4 blocks/,
      2,
    ],
    [['generate', 'x', '--steps', '8', '--policy', 'threshold'], /--steps: policy threshold/, 2],
    [['generate', '--prompts', '/nonexistent.jsonl'], /cannot read \/nonexistent.jsonl/, 3],
    [
      ['generate', '--prompts', '@bad'],
      /bad.jsonl:2: no text in field "prompt", "question" or "messages"/,
      1,
    ],
    [['logits', '--model', '@', '--ids', '1,600', '--out', 'l'], /token id 600 is outside/, 2],
    [['logits', '--model', '@', '--ids', '', '--out', 'l'], /Expected an integer from 0/, 2],
    [['convert', '@', 'out.gguf', '--quant', 'q5'], /unknown quant "q5"/, 2],
    [['convert', '@', 'outdir', '--quant', 'q4_0'], /safetensors hold f32, f16 or bf16 here, not q4_0/, 2],
    [['convert', 'nonexistent.gguf', 'o.gguf'], /cannot read nonexistent.gguf/, 3],
    [['convert', '@', '@/o.gguf'], /cannot write .*tiny.gguf\/o.gguf: .* is not a directory/, 3],
    [['synth', 'out.bin'], /out.bin: a synthetic model is written as .gguf/, 2],
    [['synth', 'o.gguf', '--arch', 'lada'], /unknown arch "lada"/, 2],
    [['inspect', 'tiny-lada'], /unknown model "tiny-lada": did you mean tiny-llada/, 2],
  ] as const)('%j', async (argv, message, exit) => {
    writeFileSync(lines(), '{"prompt":"a"}\n{"text":"b"}\n');
    const args = argv.map((arg) => (arg === '@bad' ? lines() : arg.replace(/^@/, tiny)));
    const { code, stdout, stderr } = await cli(args);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(code).toBe(exit);
  });

  it('a backend that is not installed is one line, and wasm does the work', async () => {
    const out = join(folder, 'n.f32');
    const { code, stderr } = await cli([
      'logits',
      '--model',
      tiny,
      '--ids',
      '3',
      '--out',
      out,
      '--backend',
      'node',
    ]);
    expect(stderr).toMatch(/^backend node: @tensorflow\/tfjs-node is not installed; going on with wasm\n$/);
    expect(code).toBe(0);
  });
});
