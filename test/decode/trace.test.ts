import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import type { StepTimer } from '../../src/decode/method/timer.js';
import { POLICY_NAMES, policyByName, policySpecByName } from '../../src/decode/policies.js';
import {
  checkTrace,
  formatTrace,
  parseTrace,
  readTrace,
  replayTrace,
  traceOf,
  writeTrace,
} from '../../src/decode/trace/trace.js';
import { DataError, EnvironmentError } from '../../src/errors.js';
import { slidingSpecs, workloads } from './support/arbitraries.js';
import { RandomTimer } from './support/random-timer.js';
import { SMALL_TILES, toyFor } from './support/run.js';
import { ToyEngine } from './support/toy-engine.js';

const folder = mkdtempSync(join(tmpdir(), 'dllm-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function record(name = 'llada.cpp', timer?: StepTimer) {
  const options = {
    policy: policyByName(name),
    engine: new ToyEngine({ seed: 4 }),
    promptIds: [1, 2, 3],
    genLength: 64,
    ...(timer === undefined ? {} : { timer }),
  };
  return traceOf(options, await decode(options), { modelHash: 'abc', seed: 4 });
}

describe('traces', () => {
  it('survive the file', async () => {
    const trace = await record('llada.cpp', new RandomTimer(3));
    const path = join(folder, 'a.jsonl');
    writeTrace(path, trace);
    expect(readTrace(path)).toEqual(trace);
    expect(readdirSync(folder)).toEqual(['a.jsonl']);
    expect(formatTrace(readTrace(path))).toBe(formatTrace(trace));
  });

  it('are compressed when large or asked to be, and read the same', async () => {
    const trace = await record();
    const large = writeTrace(join(folder, 'large.jsonl'), trace, 100);
    expect(large).toBe(join(folder, 'large.jsonl.gz'));
    expect(readTrace(join(folder, 'large.jsonl'))).toEqual(trace);
    expect(readTrace(writeTrace(join(folder, 'asked.jsonl.gz'), trace))).toEqual(trace);
    for (const name of ['large.jsonl.gz', 'asked.jsonl.gz']) rmSync(join(folder, name));
  });

  it('keep the laws, for every policy of the family', async () => {
    await fc.assert(
      fc.asyncProperty(slidingSpecs, workloads, async (spec, work) => {
        const policy = composePolicy(spec, SMALL_TILES);
        const genLength = work.blocks * policy.spec.blockLength;
        const options = { policy, engine: toyFor(policy.spec, work), promptIds: work.promptIds, genLength };
        const trace = traceOf(options, await decode(options));
        const text = formatTrace(trace);
        const read = parseTrace(text);
        // Field by field they are compared where lines are written by hand.
        expect(formatTrace(read)).toBe(text);
        expect(checkTrace(read)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it.each(POLICY_NAMES)('of %s survive the file with their laws', async (name) => {
    const { blockLength = 32 } = policySpecByName(name);
    const policy = composePolicy({ ...policySpecByName(name), blockLength: Math.min(blockLength, 8) });
    const genLength = 16;
    const options = { policy, engine: new ToyEngine({ seed: 4 }), promptIds: [1, 2, 3, 4, 5], genLength };
    const trace = traceOf(options, await decode(options));
    const text = formatTrace(trace);
    const read = parseTrace(text);
    expect(formatTrace(read)).toBe(text);
    expect(checkTrace(read)).toEqual([]);
  });

  it('of earlier versions are read, under the name of today', async () => {
    const text = formatTrace(await record());
    const earlier = text.replace('dllm-npu/trace@1', 'dllm-npu/trace/1');
    expect(earlier).not.toBe(text);
    expect(parseTrace(earlier)).toEqual(parseTrace(text));
  });

  it('say which line is damaged', async () => {
    const lines = formatTrace(await record())
      .trimEnd()
      .split('\n');
    const damaged = (change: (copy: string[]) => void): string => {
      const copy = [...lines];
      change(copy);
      return copy.join('\n');
    };
    const cases: [string, RegExp][] = [
      ['', /t:1: not JSON/],
      [lines[0], /cut off/],
      [damaged((copy) => copy.pop()), /cut off/],
      [damaged((copy) => copy.splice(3, 1)), /t:4: step 3 where step 2 belongs/],
      [damaged((copy) => copy.splice(copy.length - 2, 1)), /the end line says/],
      [damaged((copy) => (copy[2] = copy[2].slice(0, -5))), /t:3: not JSON/],
      [damaged((copy) => (copy[1] = copy[1].replace('"main"', '"minor"'))), /t:2: passes\.0\.lane/],
      [damaged((copy) => (copy[0] = copy[0].replace('trace@1', 'trace@9'))), /t:1: schema/],
      [damaged((copy) => (copy[0] = copy[0].replace('"engine"', '"engin"'))), /t:1/],
    ];
    for (const [text, message] of cases) {
      expect(() => parseTrace(text, 't')).toThrow(message);
      expect(() => parseTrace(text, 't')).toThrow(DataError);
    }
    expect(() => readTrace(join(folder, 'none.jsonl'))).toThrow(EnvironmentError);
  });

  it('a law broken in the file is found', async () => {
    const path = join(folder, 'b.jsonl');
    const text = formatTrace(await record('mbsd-sts'));
    writeFileSync(path, text.replace(/,"reason":"final"/, ',"reason":"revise"'));
    expect(checkTrace(readTrace(path)).map(({ law }) => law)).toContain('D7');
  });
});

describe('replayTrace', () => {
  it('gives the recorded times on the recorded machine', async () => {
    const trace = await record('llada.cpp', new RandomTimer(3));
    const replay = replayTrace(trace, new RandomTimer(3));
    expect(replay.timings).toEqual(trace.steps.map(({ timing }) => timing));
    expect(replay.divergesAt).toBeNull();
    expect(replay.totalMs).toBe(trace.steps.length);
  });

  it('names the first step at which another machine would have merged otherwise', async () => {
    const trace = await record('llada.cpp');
    const slow = replayTrace(trace, new RandomTimer(3, 5));
    const first = trace.steps.findIndex(
      ({ landed }, step) => landed.length !== slow.timings[step].completed.length,
    );
    expect(first).toBeGreaterThanOrEqual(0);
    expect(slow.divergesAt).toBeLessThanOrEqual(first);
    expect(slow.divergesAt).not.toBeNull();
  });

  it('is exact on any machine for policies without side work', async () => {
    expect(replayTrace(await record('mbsd-sts-sls'), new RandomTimer(9)).divergesAt).toBeNull();
  });
});
