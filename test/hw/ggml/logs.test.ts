import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { benchArgs, parseBench } from '../../../hw/ggml/bench.js';
import { CycleCounter } from '../../../hw/ggml/cycle-counter.js';
import { diffusionArgs, parseDiffusionText, parseDiffusionTiming } from '../../../hw/ggml/diffusion-cli.js';
import { parseProfileLog } from '../../../hw/ggml/profile-log.js';
import { profileText } from '../../../hw/ggml/profile-text.js';
import { readProfile } from '../../../hw/ggml/read-profile.js';
import { parseSessionLog } from '../../../hw/ggml/session-log.js';
import { opTotals, unitCycles } from '../../../hw/ggml/summary.js';
import { EnvironmentError } from '../../../src/errors.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { goldenTexts } from '../golden-logs.js';

const logs = goldenTexts('ggml/logs.json');
const text = (name: string): string => logs[name] ?? '';

describe('profile log of the Hexagon backend', () => {
  it('of dialect op-usec', () => {
    const log = parseProfileLog(text('op-usec'));
    expect(log?.dialect).toBe('op-usec');
    expect(log?.ops[0]).toMatchObject({
      session: 'HTP0',
      op: 'MUL_MAT',
      dims: '4096:4096 x 4096:32 -> 4096:32',
      names: 'blk.0.attn_q.weight x attn_norm-0 -> Qcur-0',
      buffers: 'HTP0-REPACK x HTP0 -> HTP0',
      us: 512,
      cycles: 1081344,
      packets: 402112,
      callUs: 640,
      startCycle: null,
      kernel: null,
    });
    expect(log?.ops[1]?.names).toBe('attn_norm-0 (view) -> norm-0');
  });

  it('of dialect colons, with counters, and with its intervals over the wrap of the counter', () => {
    const log = parseProfileLog(text('colons'));
    expect(log?.dialect).toBe('colons');
    expect(log?.ops.map(({ us, pmu }) => [us, pmu])).toEqual([
      [512, [1, 2, 3, 4, 5, 6, 7, 8]],
      [30, null],
    ]);
    expect(log?.intervals).toEqual([
      expect.objectContaining({ event: 'HVX_COMP', thread: 2, startCycle: 4294967295, cycles: 100 }),
    ]);
  });

  it('of dialect pipes: operators, batches and intervals on one axis', () => {
    const log = parseProfileLog(text('pipes'));
    expect(log?.dialect).toBe('pipes');
    expect(log?.batches).toEqual([
      expect.objectContaining({
        ops: 2,
        us: 900,
        start: 8589934000,
        events: [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
      }),
    ]);
    expect(log?.ops.map(({ op, kernel, startCycle }) => [op, kernel, startCycle])).toEqual([
      ['RMS_NORM+MUL', 'hvx vtcm 1048576', 2 ** 32 + 4294966800],
      ['MUL_MAT', 'hmx-tiled vtcm 8000000', 2 ** 33 + 84000],
    ]);
    expect(log?.intervals.map(({ event, thread, cycles }) => [event, thread, cycles])).toEqual([
      ['DMA', 0, 10000],
      ['HVX_W_DEQUANT', 1, 5800],
      ['HMX_COMP', 10, 909000],
    ]);
    // The flush that never ended is told, not dropped.
    expect(log?.unpairedEvents).toBe(1);
  });

  it('is read in time that grows with its length, whatever it says', () => {
    const line = `ggml-hex: HTP0 profile-op X: ${' : a'.repeat(20_000)}`;
    expect(() => parseProfileLog(line)).toThrow(/unknown dialect/);
  });

  it('without a profile is none', () => {
    expect(parseProfileLog(text('session'))).toBeNull();
  });

  it('of dialect inline, with names and extents taken apart', () => {
    const log = parseProfileLog(text('inline'));
    expect(log?.dialect).toBe('inline');
    expect(log?.ops.map(({ op, names, dims, us, packets }) => [op, names, dims, us, packets])).toEqual([
      [
        'MUL_MAT',
        'blk.0.attn_q.weight x attn_norm-0 -> Qcur-0',
        '1024:1024:1:1 x 1024:1:1:1 -> 1024:1:1:1',
        95,
        90000,
      ],
      ['RMS_NORM', 'inp -> norm-0', '1024:1:1:1 -> 1024:1:1:1', 9, 9000],
    ]);
  });

  it('has its fields by their shape: with a kernel where others have none, and without one', () => {
    const fields = {
      names: 'blk.0.attn_q.weight x attn_norm-0 -> Qcur-0',
      dims: '1024:1024 x 1024:1 -> 1024:1',
      types: 'q4_0 x f32 -> f32',
      strides: '576:1 x 4:4096 -> 4:4096',
      us: 10,
    };
    expect(parseProfileLog(text('colons-kernel'))?.ops).toMatchObject([
      { ...fields, kernel: 'hmx-tiled vtcm 8000' },
    ]);
    expect(parseProfileLog(text('pipes-plain'))?.ops[0]).toMatchObject({ ...fields, kernel: null });
    const marked = text('pipes-plain').replace('576:1 x', '576:1! x NONE x');
    expect(parseProfileLog(marked)?.ops[0].strides).toBe('576:1! x NONE x 4:4096 -> 4:4096');
    expect(() => parseProfileLog(text('pipes-plain').replace('1024:1024', '1024-1024'))).toThrow(
      /unknown dialect/,
    );
  });

  it('keeps several NPUs apart', () => {
    const log = parseProfileLog(text('pipes-two'));
    if (log === null) throw new Error('no profile');
    expect(opTotals(log).map(({ session, op, count, share }) => [session, op, count, share])).toEqual([
      ['HTP0:0', 'MUL_MAT', 1, 10 / 15],
      ['HTP0:1', 'MUL_MAT', 1, 10 / 15],
      ['HTP0:0', 'RMS_NORM+MUL', 1, 5 / 15],
      ['HTP0:1', 'RMS_NORM+MUL', 1, 5 / 15],
    ]);
    expect(profileText(log)).toMatch(/\nHTP0:0\n[\s\S]*\nHTP0:1\n/);
    const traced = parseProfileLog(
      text('pipes') + text('pipes').replaceAll('HTP0', 'HTP1').replaceAll('91000', '90000'),
    );
    expect(traced && unitCycles(traced)).toMatchObject({
      HTP0: { HMX_COMP: 909000 },
      HTP1: { HMX_COMP: 910000 },
    });
  });

  it('may have the colours of a terminal', () => {
    const coloured = text('pipes').replaceAll(/^ggml/gm, '\x1b[32mggml').replaceAll('\n', '\x1b[0m\n');
    expect(parseProfileLog(coloured)).toEqual(parseProfileLog(text('pipes')));
  });

  it.each(['inline', 'op-usec', 'colons-kernel', 'pipes'])(
    'of dialect %s, cut anywhere in its last operator, is read up to there and says so',
    (name) => {
      const lines = text(name)
        .trimEnd()
        .split('\n')
        .filter((line) => / cycles | op-cycles /.test(line) && !line.includes('OPBATCH'));
      const line = lines.at(-1) ?? '';
      const before = `${lines[0]}\n`;
      const [{ us, cycles }] = parseProfileLog(`${line}\n`)?.ops ?? [];
      for (let end = line.indexOf('ggml-hex: ') + 16; end < line.length; end++) {
        const log = parseProfileLog(before + line.slice(0, end));
        // Either it is told, or nothing that counts is missing.
        if (log?.ops.length === 2) expect(log.ops[1]).toMatchObject({ us, cycles });
        else expect(log?.cutLine).toBe(line.slice(0, end));
      }
    },
  );

  it.each([
    ['a new format', 'ggml-hex: HTP0 profile-op MUL_MAT;a;b;usec 1\n'],
    [
      'a line whose end is another line',
      `${text('pipes').split('\n')[1].slice(0, 80)}${text('pipes').split('\n')[2]}\n${text('pipes')}`,
    ],
    ['a line that was cut in the middle', `ggml-hex: HTP0 profile-op MUL_MAT|a|b\n${text('pipes')}`],
    ['a batch without its cycles', 'ggml-hex: HTP0 profile-op OPBATCH|----|n-ops 2|usec 3\n'],
    ['an event of another form', 'ggml-hex: HTP0 trace-evt DMA thread=0 start 5\n'],
  ])('refuses %s by name', (_, log) => {
    expect(() => parseProfileLog(log)).toThrow(
      /unknown dialect: ".*known are inline.*op-usec.*colons.*pipes/,
    );
  });

  it('says how many operators a batch ran that it has no line of', () => {
    const [batch, first, ...rest] = text('pipes').split('\n');
    const lost = parseProfileLog([batch, ...rest].join('\n'));
    expect(profileText(lost!)).toMatch(/its batches ran \d+ operators, 1 more than it has lines of/);
    expect(first).toContain('profile-op');
    expect(profileText(parseProfileLog(text('pipes'))!)).not.toMatch(/its batches ran/);
    const path = join(temporaryDirectory(), 'batches.log');
    writeFileSync(path, `${batch}\n`);
    expect(() => readProfile(path)).toThrow(/has batches, and no line of an operator/);
  });

  it('refuses two dialects in one log', () => {
    expect(() => parseProfileLog(text('op-usec') + text('pipes'))).toThrow(
      /changes its dialect from op-usec to pipes/,
    );
  });

  it('never loses its place in a batch, whatever the order of its readings (property)', () => {
    const after = fc.integer({ min: -(2 ** 28) + 1, max: 2 ** 32 - 2 ** 28 });
    fc.assert(
      fc.property(fc.integer({ min: 2 ** 40, max: 2 ** 41 }), fc.array(after), (start, offsets) => {
        const counter = new CycleCounter();
        counter.set(start);
        for (const offset of offsets) expect(counter.unwrap((start + offset) % 2 ** 32)).toBe(start + offset);
      }),
    );
  });

  it('nor from reading to reading where there are no batches (property)', () => {
    const step = fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 }), fc.array(step, { maxLength: 30 }), (first, steps) => {
        const counter = new CycleCounter();
        let full = counter.unwrap(first);
        for (const each of steps) {
          full += each;
          expect(counter.unwrap(((full % 2 ** 32) + 2 ** 32) % 2 ** 32)).toBe(full);
        }
      }),
    );
  });
});

describe('a log file', () => {
  const plain = text('pipes');
  it.each([
    ['plain', Buffer.from(plain)],
    ['with a byte-order mark', Buffer.from(`\uFEFF${plain}`)],
    ['as UTF-16', Buffer.from(`\uFEFF${plain}`, 'utf16le')],
    ['as UTF-16, the other way round', Buffer.from(`\uFEFF${plain}`, 'utf16le').swap16()],
    ['packed', gzipSync(plain)],
  ])('%s is read', (_, bytes) => {
    const path = join(temporaryDirectory(), 'a.log');
    writeFileSync(path, bytes);
    expect(readProfile(path).profile).toEqual(parseProfileLog(plain));
  });

  it('that is damaged or missing is named', () => {
    const path = join(temporaryDirectory(), 'a.log');
    expect(() => readProfile(path)).toThrow(EnvironmentError);
    writeFileSync(path, gzipSync(plain).subarray(0, 40));
    expect(() => readProfile(path)).toThrow(/a\.log is a damaged gzip file/);
  });
});

describe('what the backend says of itself', () => {
  it('is the session and the library, old and new', () => {
    expect(parseSessionLog(text('session'))).toEqual({
      htpArch: 'v79',
      sessions: [{ name: 'HTP0', library: 'libggml-htp-v79.so' }],
      offloaded: { layers: 17, of: 17 },
      failures: [],
    });
    expect(parseSessionLog(text('session-now'))).toMatchObject({
      htpArch: 'v81',
      sessions: [{ name: 'HTP0', library: 'libggml-htp-v81.so' }],
    });
  });

  it('is no session when it was refused', () => {
    const { sessions, failures } = parseSessionLog(text('session-refused'));
    expect(sessions).toEqual([]);
    expect(failures).toEqual(['ggml-hex: failed to open session 0 : error 0x80000406']);
  });

  it('is the reason why there is no profile', () => {
    const path = join(temporaryDirectory(), 'failed.log');
    writeFileSync(path, text('session-failed'));
    expect(() => readProfile(path)).toThrow(
      /nothing ran on the NPU: .*error 0x80000406\. The DSP cannot load libggml-htp-vNN\.so/,
    );
    writeFileSync(path, 'hello\n');
    expect(() => readProfile(path)).toThrow(/GGML_HEXAGON_PROFILE=1 and -v/);
  });
});

describe('llama-diffusion-cli', () => {
  const base = { model: 'm.gguf', prompt: 'a "b"', length: 128, steps: 64 };

  it('takes LLaDA blocks or Dream eps', () => {
    const args = diffusionArgs({ ...base, blockLength: 32, threads: 4 }, 'HTP0');
    // origin: upstream-doc (examples/diffusion/README.md of llama.cpp)
    expect(args.join(' ')).toBe(
      '-m m.gguf -p a "b" -ub 128 -b 128 -c 128 --diffusion-steps 64 --diffusion-algorithm 4 --diffusion-block-length 32 --temp 0 --seed 0 -t 4 --device HTP0 -ngl 99 --log-prefix --log-timestamps -v',
    );
    expect(diffusionArgs({ ...base, eps: 0.001, algorithm: 'entropy' }, 'none')).toEqual(
      expect.arrayContaining([
        '--diffusion-eps',
        '0.001',
        '--diffusion-algorithm',
        '1',
        '--device',
        'none',
        '-ngl',
        '0',
      ]),
    );
  });

  it.each([
    [{}, /either eps .* or blockLength/],
    [{ eps: 0.1, blockLength: 32 }, /either eps .* or blockLength/],
    [{ blockLength: 30 }, /must divide length/],
    [{ blockLength: 32, steps: 0 }, /steps/],
  ])('refuses options %j', (extra, message) => {
    expect(() => diffusionArgs({ ...base, ...extra }, 'HTP0')).toThrow(message);
  });

  it('gives its answer on standard output, or in the log behind the time', () => {
    expect(parseDiffusionText('\nOn stdout.\ntotal time: 1.0ms, ...\n', '')).toBe('On stdout.');
    expect(parseDiffusionText('', text('diffusion-answer'))).toBe('Because of\nRayleigh scattering.');
    expect(parseDiffusionText('', 'nothing')).toBe('');
  });

  it('tells the time of a step', () => {
    expect(parseDiffusionTiming(text('diffusion-dream'))).toEqual({
      totalMs: 12800.5,
      stepMs: 200.01,
      samplingStepMs: 12.25,
      steps: null,
    });
    expect(parseDiffusionTiming(text('diffusion-steps'))).toMatchObject({ steps: 30, stepMs: 200 });
    expect(parseDiffusionTiming(text('diffusion-blocks'))).toMatchObject({ steps: 48, samplingStepMs: null });
    expect(() => parseDiffusionTiming('Error: diffusion generation failed')).toThrow(/did not finish/);
  });
});

describe('llama-bench', () => {
  it('times one forward per row count', () => {
    expect(benchArgs({ model: 'm.gguf', rows: [32, 128], depth: 256 }, 'HTP0').join(' ')).toBe(
      '-m m.gguf -p 32,128 -n 0 -b 128 -ub 128 -d 256 -r 5 --device HTP0 -ngl 99 -o json -v',
    );
    expect(() => benchArgs({ model: 'm', rows: [] }, 'HTP0')).toThrow(/rows/);
  });

  it('is read from its JSON, behind whatever the backend said first', () => {
    // origin: synthetic; fields as tools/llama-bench/llama-bench.cpp prints them
    const row = {
      build_commit: '6a8cf8914',
      build_number: 6733,
      model_type: 'llada 8B Q4_0',
      model_size: 5e9,
      backends: 'HTP',
      n_prompt: 32,
      n_gen: 0,
      n_depth: 0,
      avg_ns: 2e8,
      stddev_ns: 1e6,
      samples_ns: [199e6, 201e6],
      avg_ts: 160,
      new_field: true,
    };
    const bench = parseBench(`ggml-hex: notice\n[\n  ${JSON.stringify(row)}\n]\n`);
    expect(bench).toMatchObject({ build: '6a8cf8914 (6733)', backends: 'HTP' });
    expect(bench.rows).toEqual([{ rows: 32, depth: 0, meanMs: 200, deviationMs: 1, samplesMs: [199, 201] }]);
    expect(() => parseBench('error: failed to load model')).toThrow(/no JSON/);
    expect(() => parseBench('[\n{"n_prompt": 1}\n]')).toThrow(/build_commit/);
  });
});
