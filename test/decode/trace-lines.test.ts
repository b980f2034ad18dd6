import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Canvas, Position } from '../../src/decode/canvas/types.js';
import type { StepRecord } from '../../src/decode/method/step-record.js';
import { policyByName } from '../../src/decode/policies.js';
import { carpetOf } from '../../src/decode/trace/carpet.js';
import { decodeStep, encodeStep, traceStepSchema } from '../../src/decode/trace/schema.js';
import {
  formatTrace,
  parseTrace,
  readTrace,
  replayTrace,
  traceOf,
  writeTrace,
} from '../../src/decode/trace/trace.js';
import { DataError } from '../../src/errors.js';
import type { Pass, PassRow, RowOutcome } from '../../src/pass/pass.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { canvasOf, MASK, passOf, stepOf } from './support/one-record.js';

const timing = { startMs: 1, endMs: 2.5, completed: ['0.1'] };
const record = (change: Partial<StepRecord> = {}, pass: Partial<Pass> = {}): StepRecord => ({
  ...stepOf([passOf([1, 2], pass)]),
  timing: null,
  ...change,
});
/** The line of a record, as it is written. */
const lineOf = (of: StepRecord) => JSON.parse(JSON.stringify(encodeStep(of)));
/** What is read of it. */
const readBack = (of: StepRecord): StepRecord => decodeStep(traceStepSchema.parse(lineOf(of)));

describe('a line of a trace', () => {
  it('has rows as short as what they hold', () => {
    const row = (change: Partial<PassRow>) => {
      const of = record({}, { rows: [{ position: 1, feed: 3, ...change }], logits: [0] });
      expect(readBack(of).plan.passes[0].rows).toEqual([
        { asks: undefined, draw: undefined, excludes: undefined, position: 1, feed: 3, ...change },
      ]);
      return lineOf(of).passes[0].rows[0];
    };
    expect(row({})).toEqual([1, 3]);
    expect(row({ asks: 7 })).toEqual([1, 3, 7]);
    expect(row({ asks: 0 })).toEqual([1, 3, 0]);
    expect(row({ draw: 4 })).toEqual([1, 3, null, 4]);
    expect(row({ asks: 7, draw: 0 })).toEqual([1, 3, 7, 0]);
    expect(row({ excludes: [2, 5] })).toEqual([1, 3, null, null, [2, 5]]);
    expect(row({ excludes: [], draw: 4 })).toEqual([1, 3, null, 4, []]);
    expect(row({ excludes: [2], asks: 6 })).toEqual([1, 3, 6, null, [2]]);
  });

  it('has outcomes as short as what they say', () => {
    const said = (change: Partial<RowOutcome>) => {
      const rows = [{ position: 1, token: 3, confidence: 0.5, ...change }];
      const of = record({ outcomes: [{ passId: '0.0', rows }] });
      const none = { asked: undefined, drift: undefined, gap: undefined, instead: undefined };
      expect(readBack(of).outcomes).toEqual([{ passId: '0.0', rows: [{ ...none, ...rows[0] }] }]);
      return lineOf(of).outcomes[0].rows[0].slice(3);
    };
    expect(said({})).toEqual([]);
    expect(said({ asked: 0 })).toEqual([0]);
    expect(said({ drift: 0 })).toEqual([null, 0]);
    expect(said({ asked: 0.25, drift: 0.5 })).toEqual([0.25, 0.5]);
    expect(said({ gap: 2 })).toEqual([null, null, 2]);
    expect(said({ asked: 0.25, drift: 0.5, gap: 0 })).toEqual([0.25, 0.5, 0]);
    expect(said({ instead: 0 })).toEqual([null, null, null, 0]);
    expect(said({ asked: 0.25, drift: 0.5, gap: 2, instead: 6 })).toEqual([0.25, 0.5, 2, 6]);
  });

  it('has what is read in runs of neighbours with one version', () => {
    const reads = [
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 2],
      [4, 2],
      [6, 2],
      [6, 1],
    ].map(([position, version]) => ({ position, version }));
    const of = record({}, { reads });
    expect(lineOf(of).passes[0].reads).toEqual([
      [0, 3, 1],
      [3, 2, 2],
      [6, 1, 2],
      [6, 1, 1],
    ]);
    expect(readBack(of).plan.passes[0].reads).toEqual(reads);
    expect(lineOf(record()).passes[0].reads).toEqual([]);
  });

  it('names groups, guidance, the adapter and a step that joins, where there are any', () => {
    const groups = [
      { kind: 'denoise', version: 5, rows: 1, sees: [], visibility: 'all' },
      { kind: 'denoise', version: 6, rows: 1, sees: [0], visibility: 'shadow' },
    ] as const;
    const of = record(
      { accepted: [{ group: 1, transitions: 3 }] },
      { visibility: { groups }, guidance: 1.5, adapter: true },
    );
    const joins = { ...of, plan: { ...of.plan, joins: true } };
    expect(lineOf(joins)).toMatchObject({
      joins: true,
      accepted: [[1, 3]],
      passes: [{ visibility: { groups }, guidance: 1.5, adapter: true }],
    });
    expect(readBack(joins)).toMatchObject({
      accepted: [{ group: 1, transitions: 3 }],
      plan: { joins: true, passes: [{ visibility: { groups }, guidance: 1.5, adapter: true }] },
    });
    const plain = lineOf(record());
    expect(['joins', 'accepted'].filter((key) => key in plain)).toEqual([]);
    expect(['guidance', 'adapter'].filter((key) => key in plain.passes[0])).toEqual([]);
    expect(readBack(record()).accepted).toEqual([]);
  });

  it('has times where there was a clock: those of a machine, or when it began and ended', () => {
    expect(lineOf(record()).timing).toBeNull();
    expect(readBack(record({ timing })).timing).toEqual(timing);
    const busyMs = Object.fromEntries(
      ['matrix', 'vector', 'dma', 'l2', 'cpu', 'gpu', 'driver', 'dram'].map((name, at) => [name, at]),
    );
    const whole = { ...timing, busyMs } as unknown as StepRecord['timing'];
    expect(readBack(record({ timing: whole })).timing).toEqual(whole);
    expect(Object.keys(lineOf(record({ timing })).timing)).toEqual(['startMs', 'endMs', 'completed']);
  });

  it('copies what it writes: a change of the record later is not in it', () => {
    const lists = { landed: ['0.1'], transitions: [], dropped: [], kvWrites: [], draftWrites: [] };
    const line = encodeStep(record(lists));
    for (const key of Object.keys(lists) as (keyof typeof lists)[]) {
      expect(line[key]).toEqual(lists[key]);
      expect(line[key]).not.toBe(lists[key]);
    }
  });
});

/** A trace of two steps that decode nothing: what counts is the file. */
const policy = policyByName('llada');
const engine = { name: 'none', config: { name: 'm', endIds: [7] } } as never;
const tokens = Array.from({ length: 32 }, () => 3);
const traced = (steps = [record(), { ...record(), plan: { ...record().plan, step: 1 } }], extra = {}) =>
  traceOf(
    { policy, engine, promptIds: [1, 2], genLength: 32, ...extra },
    { steps, tokens, canvas: { maskId: MASK } as Canvas },
    {},
  );

describe('the header of a trace', () => {
  it('says what was asked for, and null for what nobody said', () => {
    expect(traced().header).toEqual({
      ...{
        type: 'header',
        schema: 'dllm-npu/trace@1',
        policy: policy.spec,
        model: { name: 'm', hash: null },
      },
      ...{ promptIds: [1, 2], genLength: 32, given: undefined, maskId: MASK, eosId: 7, seed: null },
      ...{ engine: 'none', timer: null },
    });
  });

  it('has what was given, the clock, a seed, a hash and several end tokens where there are any', () => {
    const ends = { name: 'none', config: { name: 'm', endIds: [7, 8] } } as never;
    const options = {
      policy,
      engine: ends,
      promptIds: [1],
      genLength: 32,
      given: [4, MASK],
      timer: { name: 'clock' } as never,
    };
    const result = { steps: [], tokens, canvas: { maskId: MASK } as Canvas };
    const { header } = traceOf(options, result, { modelHash: 'abc', seed: 0 });
    expect(header).toMatchObject({
      eosId: [7, 8],
      given: [4, MASK],
      timer: 'clock',
      seed: 0,
      model: { hash: 'abc' },
    });
    const none = { name: 'none', config: { name: 'm', endIds: [] } } as never;
    expect(traceOf({ ...options, engine: none }, result).header.eosId).toEqual([]);
  });
});

describe('a trace file', () => {
  const directory = temporaryDirectory();
  const path = (name: string): string => join(directory, name);
  const lines = formatTrace(traced()).trimEnd().split('\n');
  const parse = (...of: string[]) => parseTrace(of.join('\n'), 't');

  it('has a header, a line a step and an end, and an empty line counts for nothing', () => {
    expect(lines).toHaveLength(4);
    expect(JSON.parse(lines[3])).toEqual({ type: 'end', steps: 2, tokens });
    expect(parse(...lines).steps).toHaveLength(2);
    expect(parse('', ...lines, '', '').steps).toHaveLength(2);
    const [header, , , end] = lines;
    const empty = end.replace('"steps":2', '"steps":0');
    expect(parse(header, empty).steps).toEqual([]);
  });

  it('is refused by the line that is wrong', () => {
    const [header, first, second, end] = lines;
    const refused = (...of: string[]): string => {
      try {
        parse(...of);
        return 'not refused';
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        return (error as Error).message;
      }
    };
    expect(refused()).toBe('t:1: not JSON');
    expect(refused(header)).toBe('t: cut off, the end line is missing');
    expect(refused(header, first)).toBe('t: cut off, the end line is missing');
    // A header that could be an end is none.
    expect(refused(end)).toMatch(/^t:1: /);
    expect(refused(header, second, first, end)).toBe('t:2: step 1 where step 0 belongs');
    expect(refused(header, first, first, end)).toBe('t:3: step 0 where step 1 belongs');
    expect(refused(header, first, end)).toBe('t: 1 steps, the end line says 2');
    expect(refused(header, first, second, end.replace('[3,', '['))).toBe(
      't: 31 tokens for a generation length of 32',
    );
    expect(refused(header, first, 'x', end)).toBe('t:3: not JSON');
    expect(refused(header, first, '7', end)).toMatch(/^t:3: line: /);
    expect(refused(header, first.replace('"block":0', '"block":-1'), second, end)).toMatch(/^t:2: block: /);
    expect(refused(header, first, second, end.slice(0, -1))).toBe('t:4: not JSON');
  });

  it('is compressed where it is larger than allowed, or named so', () => {
    const trace = traced();
    const size = formatTrace(trace).length;
    expect(writeTrace(path('as-it-is.jsonl'), trace, size)).toBe(path('as-it-is.jsonl'));
    expect(readFileSync(path('as-it-is.jsonl'), 'utf8')).toBe(formatTrace(trace));
    expect(writeTrace(path('large.jsonl'), trace, size - 1)).toBe(path('large.jsonl.gz'));
    expect(writeTrace(path('named.gz'), trace)).toBe(path('named.gz'));
    for (const name of ['large.jsonl.gz', 'named.gz'])
      expect([...readFileSync(path(name)).subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    const read = { ...trace, steps: trace.steps.map(readBack) };
    for (const name of ['as-it-is.jsonl', 'large.jsonl', 'large.jsonl.gz', 'named.gz'])
      expect(readTrace(path(name)), name).toEqual(read);
    // The file that is asked for comes before the one beside it.
    writeFileSync(path('both.jsonl'), lines.join('\n'));
    writeFileSync(path('both.jsonl.gz'), 'none');
    expect(readTrace(path('both.jsonl')).steps).toHaveLength(2);
  });

  it('that is compressed and cut off is refused by its name', () => {
    const whole = gzipSync(lines.join('\n'));
    writeFileSync(path('cut.gz'), whole.subarray(0, whole.length - 9));
    expect(() => readTrace(path('cut.gz'))).toThrow(/cut\.gz: not whole: /);
    expect(() => readTrace(path('cut.gz'))).toThrow(DataError);
    // Half of what says that it is compressed says nothing.
    for (const bytes of [
      [0x1f, 0x20],
      [0x20, 0x8b],
    ]) {
      writeFileSync(path('half.gz'), Uint8Array.from(bytes));
      expect(() => readTrace(path('half.gz'))).toThrow(/half\.gz:1: not JSON/);
    }
  });
});

describe('a trace on another clock', () => {
  const steps = [['0.1'], [], ['1.1', '2.1']].map((landed, step) => ({
    plan: { step, block: 0, passes: [] },
    landed,
  }));
  const replayed = (...completed: string[][]) =>
    replayTrace(
      { steps },
      {
        name: 'c',
        time: ({ step }) => ({ startMs: step, endMs: 10 * step + 1, completed: completed[step] }),
      },
    );

  it('goes the same way where the same refreshes are finished, in any order', () => {
    expect(replayed(['0.1'], [], ['2.1', '1.1'])).toMatchObject({ divergesAt: null, totalMs: 21 });
    expect(replayed(['0.1'], [], ['2.1', '1.1']).timings.map(({ endMs }) => endMs)).toEqual([1, 11, 21]);
  });

  it('parts at the first step where one is missing, early or another', () => {
    expect(replayed([], ['0.1'], ['2.1', '1.1']).divergesAt).toBe(0);
    expect(replayed(['0.1'], ['1.1'], ['2.1']).divergesAt).toBe(1);
    expect(replayed(['0.1'], [], ['2.1']).divergesAt).toBe(2);
    expect(replayed(['0.1'], [], ['2.1', '3.1']).divergesAt).toBe(2);
  });
});

describe('a carpet', () => {
  const start = canvasOf(['IV', 'IV', 'M', 'M']);
  const change = (
    position: number,
    from: Position['state'],
    to: Position['state'],
    tokenBefore: number,
    token: number,
  ) => ({
    ...{ position, from, to, tokenBefore, token, confidence: 0.5, reason: 'revise' as const },
  });
  const draft = { token: 6, confidence: 0.5, step: 0 };
  const steps = [
    record(
      {
        transitions: [change(1, 'IV', 'V', MASK, 4), change(2, 'IV', 'S', MASK, 5)],
        draftWrites: [{ position: 3, draft }],
      },
      {
        rows: [
          { position: 2, feed: MASK },
          { position: 1, feed: MASK },
          { position: 4, feed: MASK },
        ],
      },
    ),
    record({
      transitions: [change(1, 'V', 'V', 4, 6), change(3, 'M', 'IV', MASK, MASK)],
    }),
    record({
      transitions: [change(1, 'V', 'IV', 6, MASK), change(4, 'M', 'S', MASK, 2)],
      draftWrites: [{ position: 3, draft: null }],
    }),
    record({ transitions: [change(1, 'IV', 'S', MASK, 1), change(2, 'S', 'S', 5, 5)] }, { kind: 'seal' }),
  ].map((one, step) => ({ ...one, plan: { ...one.plan, step, block: step === 3 ? 1 : 0 } }));
  const made = () => carpetOf(start, steps);

  it('has the state, the token and the draft of each position after each step', () => {
    expect(made().columns.map(({ marks }) => marks)).toEqual(['VSDM', 'VSDM', 'ISIS', 'SSIS']);
    expect(made().columns.map(({ tokens: of }) => of)).toEqual([
      [4, 5, 6, null],
      [6, 5, 6, null],
      [null, 5, null, 2],
      [1, 5, null, 2],
    ]);
  });

  it('says which rows a step computed, of which block and for what', () => {
    expect(made().columns.map(({ step, block, kind, window }) => [step, block, kind, window])).toEqual([
      [0, 0, 'denoise', { start: 1, end: 5 }],
      [1, 0, 'denoise', { start: 1, end: 3 }],
      [2, 0, 'denoise', { start: 1, end: 3 }],
      [3, 1, 'seal', { start: 1, end: 3 }],
    ]);
  });

  it('says when each position was decided last, and which visible tokens changed', () => {
    expect(made()).toMatchObject({
      promptLength: 1,
      genLength: 4,
      blockLength: 2,
      commitSteps: [3, 0, null, 2],
    });
    expect(made().revisions).toEqual([
      { step: 1, position: 1, tokenBefore: 4, token: 6, reason: 'revise' },
      { step: 2, position: 1, tokenBefore: 6, token: MASK, reason: 'revise' },
    ]);
  });

  it('leaves the canvas that it begins with as it is', () => {
    made();
    expect(start.positions.map(({ state, draft: held }) => [state, held])).toEqual([
      ['S', null],
      ['IV', null],
      ['IV', null],
      ['M', null],
      ['M', null],
    ]);
  });
});
