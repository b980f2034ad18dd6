import { expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { summaryOf, timePass } from '../../src/engine/pass-times.js';
import type { KvRef, Pass } from '../../src/pass/pass.js';
import { tinyConfig } from '../support/tiny-model.js';

function recorder(contextLength: number) {
  const passes: Pass[] = [];
  const kept: (readonly KvRef[])[] = [];
  const engine: Engine = {
    name: 'recorder',
    config: tinyConfig({ contextLength }),
    run: async (pass) => {
      passes.push(pass);
      return { logits: new Float32Array(0) };
    },
    retain: (live) => void kept.push(live),
    readKv: () => ({ k: [], v: [] }),
    dispose: () => {},
  };
  return { engine, passes, kept };
}

it('fills the cache, warms up, and measures the same pass so many times', async () => {
  const { engine, passes, kept } = recorder(1024);
  const times = await timePass(engine, { rows: 8, context: 300, logitsRows: 2 }, 3);
  expect(times.samplesMs).toHaveLength(3);
  const [first, second, ...measured] = passes;
  expect([first.rows.length, second.rows.length, second.reads.length]).toEqual([256, 44, 256]);
  expect([first.logits, second.logits]).toEqual([[], []]);
  expect(measured).toHaveLength(4);
  for (const { rows, reads, logits } of measured) {
    expect(rows.map(({ position }) => position)).toEqual([300, 301, 302, 303, 304, 305, 306, 307]);
    expect(reads.map(({ position }) => position)).toEqual(Array.from({ length: 300 }, (_, at) => at));
    expect(logits).toEqual([6, 7]);
  }
  expect(new Set(passes.map(({ version }) => version)).size).toBe(6);
  expect(kept.slice(1, -1).every((live) => live.length === 300)).toBe(true);
  expect(kept.at(-1)).toEqual([]);
});

it('sums up: mean, sample deviation, tokens and operations a second', () => {
  const { meanMs, deviationMs, tokensPerS, gflops } = summaryOf([10, 14], 6, 3e6);
  expect([meanMs, tokensPerS, gflops]).toEqual([12, 500, 0.5]);
  expect(deviationMs).toBeCloseTo(Math.sqrt(8), 12);
  expect(summaryOf([10], 1, 1).deviationMs).toBe(0);
});
