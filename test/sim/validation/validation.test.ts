import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explainRow } from '../../../sim/validation/explain-row.js';
import { groupsOf, seriesOf, summarize } from '../../../sim/validation/groups.js';
import { interpret } from '../../../sim/validation/interpret.js';
import { nominalDraw, predict } from '../../../sim/validation/predict.js';
import { type PublishedRow, parsePublished } from '../../../sim/validation/published.js';
import { scoreRows } from '../../../sim/validation/score.js';
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

const wanted = (changes: Partial<PublishedRow>) => {
  const found = interpret(row(changes));
  if ('reason' in found) throw new Error(found.reason);
  return found.case;
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
    expect(wanted({})).toMatchObject({
      profiles: ['sm8750'],
      quant: 'q4_0',
      headQuant: 'q4_0',
      memory: 'on-demand',
      threads: null,
      work: { kind: 'prefill', tokens: { value: 128 }, context: 0, compiled: 0 },
      substitute: false,
      unfamiliar: false,
    });
    expect(wanted({}).shapes?.name).toBe('qwen3-0.6b');
    const decode = { phase: 'decode', batch_or_tokens: '1', engine: 'Genie/QNN', quant: 'W4A16' };
    expect(wanted({ ...decode, context: '<=1024' })).toMatchObject({
      stacks: ['qnn'],
      work: { kind: 'decode', context: { value: 1023, range: [1023, 1023] } },
    });
    expect(wanted({ ...decode, engine: 'llama.cpp CPU t8', context: '100-200' })).toMatchObject({
      threads: 8,
      work: { context: { value: 150, range: [100, 200] } },
    });
  });

  it('refuses splits, other vendors, and what nothing tells', () => {
    expect(reason({ engine: 'llama.cpp HTP0->GPU split' })).toMatch(/split between processors/);
    expect(reason({ engine: 'HeteroLLM Hetero-tensor' })).toMatch(/split between processors/);
    expect(reason({ soc: 'Dimensity 9400' })).toMatch(/another vendor/);
    expect(reason({ soc: 'unstated', device: 'Pixel 9', npu_arch: '' })).toMatch(/another vendor/);
    expect(reason({ soc: 'RK3588', engine: 'rknn-llm NPU' })).toMatch(/another vendor/);
    expect(reason({ soc: 'unstated', npu_arch: 'unstated', engine: 'something CPU' })).toMatch(
      /nothing tells/,
    );
    expect(reason({ model: 'Mamba', params_b: '' })).toMatch(/no graph/);
    expect(reason({ model: 'Whisper-small' })).toMatch(/no model of text/);
    expect(reason({ engine: 'something else' })).toMatch(/no software stack/);
    expect(reason({ unit: 'furlongs' })).toMatch(/unit/);
    expect(reason({ phase: 'model load', metric: 'latency' })).toMatch(/not modelled/);
  });

  it('takes a stated default and a range for what a row leaves open', () => {
    const decode = { phase: 'decode', batch_or_tokens: '1', metric: 'throughput' };
    const context = (text: string) => {
      const { work } = wanted({ ...decode, context: text });
      return work.kind === 'decode' ? [work.context.value, ...work.context.range] : [];
    };
    expect(context('n/s')).toEqual([128, 0, 1024]);
    expect(context('64+')).toEqual([96, 64, 256]);
    expect(context('>=128')).toEqual([192, 128, 512]);
    expect(context('~1k')).toEqual([1024, 819, 1280]);
    expect(context('1,024')).toEqual([1024, 1024, 1024]);
    expect(context('gen 512')).toEqual([256, 256, 256]);
    expect(context('<=2048')).toEqual([1024, 0, 2048]);
    const prompt = (text: string) => {
      const { work } = wanted({ batch_or_tokens: text, context: 'n/s' });
      return work.kind === 'prefill'
        ? [work.tokens.value, ...work.tokens.range, work.tokens.note !== null]
        : [];
    };
    expect(prompt('RAG prompt')).toEqual([1024, 512, 4096, true]);
    expect(prompt('n/s')).toEqual([512, 64, 1024, true]);
    expect(prompt('pp512')).toEqual([512, 512, 512, false]);
  });

  it('reads requests: a prompt with its answer, and a first token', () => {
    const total = { phase: 'end-to-end', metric: 'total time', unit: 's', context: '' };
    for (const batch_or_tokens of ['128+64', '128/64', 'prompt 128, answer 64', 'pp128 tg64']) {
      expect(wanted({ ...total, batch_or_tokens }).work, batch_or_tokens).toMatchObject({
        kind: 'request',
        prompt: { value: 128 },
        answer: { value: 64 },
      });
    }
    expect(
      wanted({ phase: 'TTFT', metric: 'TTFT', unit: 'ms', batch_or_tokens: '1', context: '1024' }).work,
    ).toMatchObject({
      kind: 'prefill',
      tokens: { value: 1024 },
    });
  });

  it('knows chips by number, market name, device and NPU generation', () => {
    const chip = (changes: Partial<PublishedRow>) => wanted(changes).profiles[0];
    for (const soc of ['SM8650', 'Snapdragon 8 Gen 3', '8 Gen 3 (SM8650)', 'snapdragon 8gen3'])
      expect(chip({ soc }), soc).toBe('sm8650');
    for (const soc of ['Snapdragon 8 Elite', 'SM8750-AB', '8 Elite for Galaxy'])
      expect(chip({ soc }), soc).toBe('sm8750');
    for (const soc of ['Snapdragon 8 Elite Gen 5', 'SM8850']) expect(chip({ soc }), soc).toBe('sm8850');
    for (const soc of ['Snapdragon X Elite', 'X1E-80-100']) expect(chip({ soc }), soc).toBe('x-elite');
    expect(chip({ soc: 'QCS8550' })).toBe('qcs8550');
    expect(chip({ soc: 'X2E-96-100' })).toBe('x2-elite-extreme');
    // A chip that another stands in for widens the interval.
    expect(wanted({ soc: 'SM7475' })).toMatchObject({ profiles: ['sm8475'], standIn: true });
    for (const [device, profile] of [
      ['Galaxy S23 Ultra', 'sm8550'],
      ['OnePlus 12', 'sm8650'],
      ['Galaxy S25', 'sm8750'],
      ['OnePlus 15', 'sm8850'],
    ])
      expect(chip({ soc: 'unstated', device, npu_arch: '' }), device).toBe(profile);
    expect(wanted({ soc: 'unstated', npu_arch: 'v79/v81?' }).profiles).toEqual(['sm8750', 'sm8850']);
    expect(
      wanted({ soc: 'unstated', npu_arch: 'unstated', device: 'Snapdragon phone' }).profiles,
    ).toHaveLength(3);
  });

  it('knows the engines by what they are', () => {
    const stack = (engine: string, quant = 'W4A16') => wanted({ engine, quant }).stacks[0];
    expect(stack('llama.cpp OpenCL Adreno 840')).toBe('gpu');
    expect(stack('MLC-LLM')).toBe('gpu');
    expect(stack('MNN CPU')).toBe('mnn-cpu');
    expect(stack('MNN NPU')).toBe('mnn-hexagon');
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
    for (const engine of ['PowerServe', 'Nexa SDK NPU', 'ONNX Runtime QNN EP', 'LiteRT-LM'])
      expect(stack(engine), engine).toBe('qnn');
    expect(wanted({ engine: 'some NPU runtime' })).toMatchObject({ stacks: ['qnn'], unfamiliar: true });
  });

  it('takes bindings of llama.cpp for llama.cpp, with the CPU kernels of their time', () => {
    for (const engine of [
      'llama.rn',
      'node-llama-cpp',
      'PocketPal',
      'ChatterUI',
      'LM Studio',
      'Ollama',
      'llama.cpp CPU',
    ])
      expect(wanted({ engine }).stacks[0], engine).toMatch(/^(llama\.cpp-)?cpu/);
    expect(wanted({ engine: 'llama.rn CPU', quant: 'Q4_0', source: 'arXiv 2605.27435' }).stacks).toEqual([
      'llama.cpp-cpu',
    ]);
    expect(wanted({ engine: 'llama.cpp CPU', quant: 'Q4_0', source: 'arXiv 2407.05858' }).stacks).toEqual([
      'cpu',
    ]);
    // By format and by the pull request that repacked it; K-quants gain less, so both kernels are in the range.
    const cpu = (quant: string, source: string) =>
      wanted({ engine: 'llama.cpp CPU', quant, source }).stacks.join();
    const thread = (number: number) => `github:ggml-org/llama.cpp/issues/${number}`;
    expect(cpu('Q4_K_M', thread(16_000))).toBe('cpu');
    expect(cpu('Q4_K_M', thread(20_000))).toBe('cpu,llama.cpp-cpu');
    expect(cpu('Q8_0', thread(18_000))).toBe('cpu');
    expect(cpu('Q8_0', thread(20_000))).toBe('llama.cpp-cpu');
    expect(cpu('Q8_0', 'a forum')).toBe('llama.cpp-cpu,cpu');
    expect(cpu('F16', thread(20_000))).toBe('cpu');
    expect(wanted({ engine: 'PocketPal HTP' }).stacks[0]).toMatch(/^llama\.cpp-hexagon/);
  });

  it('takes the state of the llama.cpp backend from the thread, the build or the date, else all of them', () => {
    const stacks = (source: string, engine = 'llama.cpp-hexagon HTP0') => wanted({ engine, source }).stacks;
    const at = (thread: number) => stacks(`github:ggml-org/llama.cpp/pull/${thread}`);
    expect(at(20692)).not.toEqual(at(20693));
    expect(at(24953)).not.toEqual(at(24954));
    expect(at(20693)).toHaveLength(1);
    expect(stacks('a talk').length).toBeGreaterThan(1);
    // A build or a month is an estimate: the states around it are in the range.
    expect(stacks('a talk', 'llama.cpp-hexagon b7588')[0]).toBe(at(18500)[0]);
    expect(stacks('arXiv 2605.27435')[0]).toBe(at(23000)[0]);
    expect(stacks('arXiv 2605.27435').length).toBeGreaterThan(1);
    expect(wanted({ source: 'arXiv 2605.27435', engine: 'llama.cpp-hexagon' }).notes.join()).toMatch(
      /2026-05 taken as thread 23000: an estimate/,
    );
    // What the row itself says goes first.
    expect(stacks('github:ggml-org/llama.cpp/pull/26000', 'llama.cpp-hexagon HVX')).toEqual(at(20692));
  });

  it('takes the rows of a pass from the engine column', () => {
    const rows = (engine: string) => wanted({ engine }).passRows;
    expect(rows('llama.cpp-hexagon ub1024')).toBe(1024);
    expect(rows('llama.cpp-hexagon')).toBeNull();
  });

  it('knows formats by what they store', () => {
    const format = (quant: string) => wanted({ quant });
    for (const text of [
      '16a4w',
      'SpinQuant',
      'W4A16',
      'w4a8',
      'int4',
      '4-bit',
      'tile-group Q4_0',
      'MXFP4',
      'Q4_K_M',
      'IQ4_XS',
    ])
      expect(format(text).quant, text).toBe('q4_0');
    for (const text of ['16a8w', 'W8A8', 'recipe (8-bit class)', 'Q6_K'])
      expect(format(text).quant, text).toBe('q8_0');
    for (const text of ['BF16', 'FP16']) expect(format(text).quant, text).toBe('f16');
    expect(format('Q4_K_M')).toMatchObject({ recipe: 'q4_k_m', bytesScale: [1, 1] });
    expect(wanted({ quant: 'IQ4_XS', engine: 'Genie' }).bytesScale[0]).toBeLessThan(1);
    expect(format('mixed 5-7 GiB').bytesScale[1]).toBeGreaterThan(format('mixed 5-7 GiB').bytesScale[0]);
    expect(format('W8A16 + fp16 lm_head').headQuant).toBe('f16');
  });

  it('knows fine-tunes by the model they are made from, and sizes where there is no graph', () => {
    const model = (text: string, params_b = '') => wanted({ model: text, params_b });
    expect(model('Llama3-TAIDE-LX-8B-Chat-Alpha1').shapes?.name).toBe('llama-3-8b');
    expect(model('IBM-Granite-v3.1-8B-Instruct').shapes?.name).toBe('granite-3.1-8b');
    expect(model('DeepSeek-R1-Distill-Qwen-7B').shapes?.name).toMatch(/qwen/);
    expect(model('meta-llama/Llama-3.2-1B-Instruct').shapes?.name).toBe('llama-3.2-1b');
    const unknown = model('Unheard-of-6B', '6');
    expect(unknown).toMatchObject({ substitute: true });
    expect(unknown.notes.join()).toMatch(/no graph/);
    const active = model('Unheard-of-30B-A3B', '30');
    expect(active.notes.join()).toMatch(/3 billion/);
  });

  it('times a denoising step with all its rows, on the memory runtime that is named', () => {
    const step = { phase: 'denoising step', batch_or_tokens: '64', context: 'n/s', unit: 'ms' };
    const llada = { ...step, model: 'LLaDA-8B', engine: 'llada.cpp NPU' };
    expect(wanted(llada)).toMatchObject({
      memory: 'somr',
      work: { kind: 'decode', sequences: 64, context: { value: 0 } },
    });
    expect(wanted({ ...llada, engine: 'llada.cpp NPU, on-demand', context: '208' })).toMatchObject({
      memory: 'on-demand',
      work: { context: { value: 208 } },
    });
  });

  it('takes the context a graph was compiled for from the row, or from the exporter', () => {
    const compiled = (changes: Partial<PublishedRow>) => {
      const { work } = wanted({ engine: 'Genie/QNN', quant: 'W4A16', ...changes });
      return work.kind === 'prefill' ? work.compiled : null;
    };
    const chunk = { metric: 'TTFT (one 128-token chunk)', source: 'qualcomm/ai-hub-models perf.yaml' };
    expect(compiled(chunk)).toBe(4096);
    expect(compiled({ context: '<=512' })).toBe(512);
    expect(compiled({ metric: 'TTFT (full 1024 ctx)', context: '1024' })).toBe(0);
  });
});

describe('a row of an operator', () => {
  const kernel = (changes: Partial<PublishedRow>) =>
    scoreRows([
      row({ phase: 'kernel', unit: 'us', params_b: '', batch_or_tokens: '', context: '', ...changes }),
    ])[0];

  it('is timed by its name, device and call told apart', () => {
    for (const model of [
      'MUL_MAT m2048 k8192 n2',
      '64x2048x8192',
      'SWIGLU n8192 r35',
      'FLASH_ATTN_EXT d64 h32 kv8 nq35 nkv256',
    ]) {
      const device = kernel({ model, metric: 'device time' });
      const call = kernel({ model, metric: 'call time' });
      expect(device.reason, model).toBeNull();
      expect(call.predicted ?? 0, model).toBeGreaterThan(device.predicted ?? 0);
    }
  });

  it('takes rates of operations and bytes, and the CPU', () => {
    const model = 'MUL_MAT m4096 k4096 n64';
    expect(kernel({ model, unit: 'GFLOPS' }).predicted ?? 0).toBeGreaterThan(10);
    expect(kernel({ model, unit: 'GB/s' }).predicted ?? 0).toBeGreaterThan(0);
    expect(kernel({ model, engine: 'llama.cpp CPU' }).predicted ?? 0).toBeGreaterThan(100);
    // A mean over a layer has a time, and no one size.
    const layer = { model: 'Llama-3.2-3B', batch_or_tokens: '1', metric: 'mean MUL_MAT call time' };
    for (const engine of ['llama.cpp-hexagon', 'llama.cpp CPU'])
      expect(kernel({ ...layer, engine }).predicted ?? 0, engine).toBeGreaterThan(10);
    expect(kernel({ ...layer, unit: 'GFLOPS' }).reason).toMatch(/no one size/);
    expect(kernel({ model: 'MUL_MAT m4096' }).reason).toMatch(/no operator/);
  });

  it('of rows, of a convolution and of experts takes time on the CPU and the GPU as well', () => {
    for (const engine of ['llama.cpp CPU', 'llama.cpp OpenCL']) {
      const us = (model: string) => kernel({ model, engine }).predicted ?? Number.NaN;
      expect(us('SWIGLU n8192 r70'), engine).toBeGreaterThan(us('SWIGLU n8192 r35'));
      // Two operands are more bytes than one.
      expect(us('ADD n8192 r512'), engine).toBeGreaterThan(us('SCALE n8192 r512'));
      expect(us('SSM_CONV n2048 k3 r64'), engine).toBeGreaterThan(0);
      expect(us('MUL_MAT_ID m768 k2048 n1 e128 top8'), engine).toBeGreaterThan(
        4 * us('MUL_MAT_ID m768 k2048 n1 e128 top1'),
      );
    }
  });

  it('is read with its format, its batch and its halves, or refused', () => {
    const us = (model: string) => kernel({ model }).predicted ?? Number.NaN;
    const tested = (m: number) => `MUL_MAT(type_a=q4_0,type_b=f32,m=${m},n=1,k=2048,bs=[1,1],nr=[1,1])`;
    expect(us(tested(2048))).toBe(us('MUL_MAT q4_0 m2048 k2048 n1'));
    expect(us('SWIGLU(type=f32,ne_a=[16384,35,1,1],v=0,swapped=0)')).toBe(us('SWIGLU n8192 r35'));
    expect(us('CONT(type=f32,ne=[128,32,35,1])')).toBe(us('CONT n128 r1120'));
    expect(us('MUL_MAT 2048:8192 x 2048:35 -> 8192:35')).toBe(us('MUL_MAT m8192 k2048 n35'));
    expect(kernel({ model: tested(2048).replace('bs=[1', 'bs=[8') }).reason).toMatch(/batch of matrices/);
    expect(kernel({ model: 'FLASH_ATTN_EXT(hsk=64,nh=8,kv=512,nb=1,type_KV=q8_0)' }).reason).toMatch(
      /quantised/,
    );
  });
});

describe('units', () => {
  it('say the same of one work', () => {
    const decode = { phase: 'decode', batch_or_tokens: '1', context: '128', metric: 'x' };
    const value = (unit: string) => {
      const asked = wanted({ ...decode, unit });
      return predict(asked, nominalDraw(asked), true).value;
    };
    expect(value('ms/token')).toBeCloseTo(1000 / value('tok/s'), 6);
    expect(value('s')).toBeCloseTo(value('ms') / 1000, 9);
    expect(value('us')).toBeCloseTo(value('ms') * 1000, 3);
    expect(value('J/token') * value('tok/J')).toBeCloseTo(1, 9);
    expect(value('mJ/token')).toBeCloseTo(1000 * value('J/token'), 6);
    expect(value('W')).toBeCloseTo(value('J/token') * value('tok/s'), 6);
    expect(value('GB/s')).toBeGreaterThan(5);
  });
});

// Longer than 20 s on a busy machine: every published row is timed at the draws of its interval.
describe('the score', () => {
  const published = parsePublished(text, path);
  const rows = scoreRows(published);
  const overall = summarize(null, 'all', rows);

  it('has either an error with an interval or a reason for every row', () => {
    expect(rows).toHaveLength(lines.length);
    for (const { id, predicted, low, high, error, logError, reason: why, bound, published: value } of rows) {
      expect(error === null, id).toBe(why !== null);
      expect(predicted === null || low === null || high === null, id).toBe(why !== null);
      if (predicted === null || low === null || high === null) continue;
      expect(low, id).toBeGreaterThan(0);
      expect(low, id).toBeLessThanOrEqual(predicted);
      expect(high, id).toBeGreaterThanOrEqual(predicted);
      const deviation = predicted / value - 1;
      // A lower bound that is satisfied has no error.
      expect(error, id).toBeCloseTo(bound ? Math.min(0, deviation) : deviation, 12);
      if (!bound) expect(logError, id).toBeCloseTo(Math.abs(Math.log(predicted / value)), 12);
    }
  });

  it('is the same every time', () => {
    expect(scoreRows(published.slice(0, 2))).toEqual(rows.slice(0, 2));
  });

  it('is the one that the reference result shows, with no path of a machine', () => {
    const reference = JSON.parse(readFileSync('results/reference/validation/open.json', 'utf8'));
    expect(reference.file).toBe(path);
    // A machine that times otherwise needs a new reference: simulate validate, with and without --json.
    const shown = (of: readonly { readonly id: string; readonly predicted: number | null }[]) =>
      of.map(({ id, predicted }) => [id, predicted === null ? null : predicted.toPrecision(9)]);
    expect(shown(reference.rows)).toEqual(shown(rows));
  });

  it('adds up, by everything that rows are grouped by', () => {
    const groups = groupsOf(published, rows);
    for (const by of ['engine', 'generation', 'chip', 'phase', 'format']) {
      const own = groups.filter((group) => group.by === by);
      expect(own.reduce((sum, group) => sum + group.rows, 0)).toBe(overall.rows);
      expect(own.reduce((sum, group) => sum + group.modelled, 0)).toBe(overall.modelled);
    }
  });

  it('keeps a length series of one source together', () => {
    const length = seriesOf(published, rows).filter(({ over }) => over === 'length');
    expect(length.length).toBeGreaterThan(0);
    for (const { series, spread } of length) expect(spread, series).toBeLessThan(1.25);
  });

  it('is as far off as docs/machine-results.md says', () => {
    const measured = summarize(
      null,
      'measured',
      rows.filter(({ bound }) => !bound),
    );
    expect(overall.modelled / overall.rows).toBeGreaterThan(0.95);
    expect(measured.median).toBeLessThan(0.2);
    expect(measured.coverage).toBeGreaterThan(0.65);
    expect(measured.coverage).toBeLessThan(0.95);
  });

  it('takes a row apart: parts, numbers that move it, what was taken', () => {
    const found = explainRow(published.find(({ id }) => id === 'A-30')!);
    if ('reason' in found) throw new Error(found.reason);
    expect(found.notes.join()).toMatch(/chip not stated/);
    expect(found.parts.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(1000 / found.predicted, 6);
    expect(found.numbers.length).toBeGreaterThan(0);
  });
});
