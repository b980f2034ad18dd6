import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../../sim/validation/interpret.js';
import { parseKernel } from '../../../sim/validation/kernel-shape.js';
import { type PublishedRow, parsePublished } from '../../../sim/validation/published.js';
import { scorePublished } from '../../../sim/validation/score.js';
import { DataError } from '../../../src/errors.js';

const path = 'sim/validation/published-open.csv';
const text = readFileSync(path, 'utf8');
const [header = '', ...lines] = text.trim().split('\n');

const row = (changes: Partial<PublishedRow> = {}): PublishedRow => ({
  id: 'X-1',
  device: 'phone',
  soc: 'SM8750',
  npu_arch: 'v79',
  model: 'Qwen3-0.6B',
  params_b: '0.6',
  quant: 'Q4_0',
  engine: 'llama.cpp-hexagon',
  phase: 'prefill',
  batch_or_tokens: '128',
  context: '128',
  metric: 'throughput',
  value: 1000,
  unit: 'tok/s',
  source: 'a test',
  ...changes,
});

const reason = (changes: Partial<PublishedRow>): string => {
  const found = interpret(row(changes));
  return 'reason' in found ? found.reason : '';
};

describe('the published measurements', () => {
  it('are read with all their rows', () => {
    expect(parsePublished(text, path)).toHaveLength(lines.length);
  });

  it('are refused by name when the file is wrong', () => {
    const parse = (body: string) => () => parsePublished(body, 'f.csv');
    expect(parse('')).toThrow(DataError);
    expect(parse('id,value\nA,1')).toThrow(/f\.csv: missing columns device, soc/);
    expect(parse(`${header}\nA-1,x`)).toThrow(/f\.csv, record 1: 2 fields where the header has 15/);
    expect(parse(`${header}\n${lines[0]?.replace('473.84', 'fast')}`)).toThrow(
      /record 1: value: "fast" is not a positive number/,
    );
    expect(parse(`${header}\n${lines[0]}\n${lines[0]}`)).toThrow(/record 2: id A-02 appears twice/);
  });
});

describe('what is timed for a row', () => {
  it('follows what the row says', () => {
    expect(interpret(row())).toEqual({
      case: {
        profile: 'sm8750',
        stack: 'llama.cpp-hexagon',
        model: 'qwen3-0.6b',
        quant: 'q4_0',
        headQuant: 'q4_0',
        memory: 'on-demand',
        threads: null,
        passRows: null,
        polls: false,
        work: { kind: 'prefill', tokens: 128, context: 0, compiled: 0 },
      },
    });
    const decode = { phase: 'decode', batch_or_tokens: '1', engine: 'Genie/QNN', quant: 'W4A16' };
    expect(interpret(row({ ...decode, context: '<=1024' }))).toMatchObject({
      case: { stack: 'qnn', work: { kind: 'decode', context: 1023 } },
    });
    expect(interpret(row({ ...decode, engine: 'llama.cpp CPU t8', context: '100-200' }))).toMatchObject({
      case: { stack: 'cpu', threads: 8, work: { context: 150 } },
    });
  });

  it('says why a row cannot be modelled', () => {
    expect(reason({ engine: 'llama.cpp HTP0->GPU split' })).toMatch(/split between processors/);
    expect(reason({ soc: 'unstated', npu_arch: 'unstated' })).toMatch(/no profile for SoC "unstated"/);
    expect(reason({ model: 'Mamba-3B' })).toMatch(/no graph/);
    expect(reason({ batch_or_tokens: 'short' })).toMatch(/not stated/);
    expect(reason({ phase: 'energy' })).toMatch(/energy/);
    expect(reason({ quant: 'mixed 5-7 GiB' })).toMatch(/not modelled/);
    expect(reason({ engine: 'something else' })).toMatch(/no software stack/);
  });

  it('knows the engines by what they are', () => {
    const stack = (engine: string, quant = 'W4A16') => {
      const found = interpret(row({ engine, quant }));
      return 'case' in found ? found.case.stack : found.reason;
    };
    expect(stack('llama.cpp OpenCL Adreno 840')).toBe('gpu');
    expect(stack('MNN CPU')).toBe('mnn-cpu');
    expect(stack('MNN NPU')).toBe('mnn-hexagon');
    expect(stack('llama.cpp CPU t8')).toBe('cpu');
    expect(stack('nntrainer+HexKL')).toBe('nntrainer');
    expect(stack('llm.npu CPU-NPU', 'W8A8')).toBe('llm.npu');
    expect(stack('jeffzhou FastRPC/mempool backend')).toBe('llama.cpp-fastrpc');
    expect(stack('ExecuTorch QNN kv mode')).toBe('qnn');
    expect(stack('ExecuTorch XNNPACK')).toBe('cpu-gemm');
    expect(stack('llama.cpp CPU', 'Q4_0_4_8')).toBe('cpu-gemm');
    expect(stack('llada.cpp NPU')).toBe('llada.cpp');
    expect(stack('llada.cpp CPU')).toBe('cpu');
    expect(stack('T-MAN NPU')).toBe('t-man');
    expect(stack('htp-ops-lib')).toBe('htp-ops');
    expect(stack('HeteroLLM NPU-only')).toBe('qnn-fp16');
    expect(stack('HeteroLLM Hetero-tensor')).toMatch(/split between processors/);
  });

  it('takes the generation of the llama.cpp backend from the thread that is cited', () => {
    const stack = (source: string, engine = 'llama.cpp-hexagon HTP0') => {
      const found = interpret(row({ engine, source }));
      return 'case' in found ? found.case.stack : found.reason;
    };
    const at = (thread: number) => stack(`github:ggml-org/llama.cpp/pull/${thread}`);
    expect(at(20692)).toBe('llama.cpp-hexagon@2026-02-07');
    expect(at(20693)).toBe('llama.cpp-hexagon@2026-03-17');
    expect(at(24953)).toBe('llama.cpp-hexagon@2026-06-01');
    expect(at(24954)).toBe('llama.cpp-hexagon@2026-06-20');
    expect(stack('a talk')).toBe('llama.cpp-hexagon');
    // What the row itself says goes first.
    expect(stack('github:ggml-org/llama.cpp/pull/26000', 'llama.cpp-hexagon HVX')).toBe(
      'llama.cpp-hexagon@2026-02-07',
    );
  });

  it('takes the rows of a pass from the engine column', () => {
    const rows = (engine: string) => {
      const found = interpret(row({ engine }));
      return 'case' in found ? found.case.passRows : found.reason;
    };
    expect(rows('llama.cpp-hexagon ub1024')).toBe(1024);
    expect(rows('llama.cpp-hexagon')).toBeNull();
    const [narrow, wide] = ['ub256', 'ub1024'].map(
      (ub) =>
        scorePublished([row({ engine: `llama.cpp-hexagon ${ub}`, batch_or_tokens: '1024' })]).rows[0]
          ?.predicted,
    );
    expect(narrow).not.toBe(wide);
  });

  it('knows formats by what they store', () => {
    const quant = (text: string) => {
      const found = interpret(row({ quant: text }));
      return 'case' in found ? found.case.quant : found.reason;
    };
    for (const text of ['16a4w', 'SpinQuant', 'W4A16', 'tile-group Q4_0']) expect(quant(text)).toBe('q4_0');
    for (const text of ['16a8w', 'W8A8', 'recipe (8-bit class)']) expect(quant(text)).toBe('q8_0');
    for (const text of ['BF16', 'FP16']) expect(quant(text)).toBe('f16');
    for (const text of ['ternary', 'W2A16']) expect(quant(text)).toMatch(/not modelled/);
  });

  it('knows fine-tunes by the model they are made from', () => {
    const model = (text: string) => {
      const found = interpret(row({ model: text }));
      return 'case' in found ? found.case.model : found.reason;
    };
    expect(model('Llama3-TAIDE-LX-8B-Chat-Alpha1')).toBe('llama-3-8b');
    expect(model('IBM-Granite-v3.1-8B-Instruct')).toBe('granite-3.1-8b');
    expect(model('DeepSeek-R1-Distill-Qwen-7B')).toMatch(/qwen/);
    expect(model('Granite-3.3-2B')).toBe('granite-3.3-2b');
  });

  it('times a denoising step with all its rows, on the memory runtime that is named', () => {
    const step = { phase: 'denoising step', batch_or_tokens: '64', context: 'n/s', unit: 'ms' };
    const llada = { ...step, model: 'LLaDA-8B', engine: 'llada.cpp NPU' };
    expect(interpret(row(llada))).toMatchObject({
      case: { memory: 'somr', work: { kind: 'decode', sequences: 64, context: 0 } },
    });
    expect(interpret(row({ ...llada, engine: 'llada.cpp NPU, on-demand', context: '208' }))).toMatchObject({
      case: { memory: 'on-demand', work: { context: 208 } },
    });
  });

  it('takes the context a graph was compiled for from the row, or from the exporter', () => {
    const compiled = (changes: Partial<PublishedRow>) => {
      const found = interpret(row({ engine: 'Genie/QNN', quant: 'W4A16', ...changes }));
      return 'case' in found && found.case.work.kind === 'prefill' ? found.case.work.compiled : null;
    };
    const chunk = { metric: 'TTFT (one 128-token chunk)', source: 'qualcomm/ai-hub-models perf.yaml' };
    expect(compiled(chunk)).toBe(4096);
    expect(compiled({ context: '<=512' })).toBe(512);
    expect(compiled({ metric: 'TTFT (full 1024 ctx)', context: '1024' })).toBe(0);
  });

  it('takes the phone of a generation where no SoC is named', () => {
    const found = interpret(row({ soc: 'unstated', npu_arch: 'v79/v81?' }));
    expect('case' in found && found.case.profile).toBe('sm8750');
    expect(reason({ soc: 'unstated', npu_arch: 'unstated' })).toMatch(/no profile/);
  });

  it('reads kernels', () => {
    expect(parseKernel('MUL_MAT m6144 k2048 n742')).toEqual({
      kind: 'product',
      rows: 742,
      inWidth: 2048,
      outWidth: 6144,
    });
    expect(parseKernel('MoE gate_up M~64 K2048 N3584')).toMatchObject({ rows: 64, outWidth: 3584 });
    expect(parseKernel('FLASH_ATTN_EXT d64 h32 kv8 nq1 nkv4096')).toEqual({
      kind: 'attention',
      rows: 1,
      keys: 4096,
      heads: 32,
      kvHeads: 8,
      headDim: 64,
    });
    expect(parseKernel('something')).toBeNull();
  });
});

describe('the score', () => {
  const score = scorePublished(parsePublished(text, path));

  it('has either an error or a reason for every row', () => {
    expect(score.rows).toHaveLength(lines.length);
    for (const { id, predicted, published, error, reason: why, bound } of score.rows) {
      expect(error === null, id).toBe(why !== null);
      expect(error === null, id).toBe(predicted === null);
      if (predicted !== null) {
        expect(predicted, id).toBeGreaterThan(0);
        const deviation = predicted / published - 1;
        // A lower bound that is satisfied has no error.
        expect(error, id).toBeCloseTo(bound ? Math.min(0, deviation) : deviation, 12);
      }
    }
  });

  it('is the one that the reference result shows, with no path of a machine', () => {
    const reference = JSON.parse(readFileSync('results/reference/validation/open.json', 'utf8'));
    expect(reference.file).toBe(path);
    expect(reference.rows.map(({ id }: { id: string }) => id)).toEqual(score.rows.map(({ id }) => id));
    score.rows.forEach(({ id, predicted }, at) => {
      const shown = reference.rows[at].predicted;
      if (predicted === null) expect(shown, id).toBeNull();
      else expect(shown / predicted, id).toBeCloseTo(1, 9);
    });
  });

  it('adds up', () => {
    const { groups, overall } = score;
    expect(groups.reduce((sum, group) => sum + group.rows, 0)).toBe(overall.rows);
    expect(groups.reduce((sum, group) => sum + group.modelled, 0)).toBe(overall.modelled);
  });

  it('predicts prompt processing by llama.cpp on SM8850 within 30 %', () => {
    const prompts = score.rows.filter(({ id }) => /^A-(02|04|06|07|08|09|11|13)$/.test(id));
    expect(prompts).toHaveLength(8);
    for (const { id, error } of prompts) expect(Math.abs(error ?? 1), id).toBeLessThan(0.3);
  });

  it('is as far off as docs/machine-results.md says', () => {
    expect(score.overall.modelled).toBe(56);
    expect(score.overall.median).toBeLessThan(0.2);
    expect(score.measurements.rows).toBe(57);
    expect(score.measurements.median).toBeLessThan(0.2);
  });
});
