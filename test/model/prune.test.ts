import { expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { loadModel } from '../../src/model/load.js';
import { parsePruning, pruned } from '../../src/model/prune.js';
import { checkWeights } from '../../src/model/weights.js';

const down = 'blk.1.ffn_down.weight';
const gate = 'blk.1.ffn_gate.weight';

it('two of four: in every four of a row the two larger stay, and embeddings are untouched', async () => {
  const model = await loadModel('tiny-llada');
  const { config, weights } = pruned(model.config, model.weights, parsePruning('2:4'));
  checkWeights(config, weights);
  const [before, after] = [await model.weights.read(gate), await weights.read(gate)];
  for (let from = 0; from < after.length; from += 64) {
    const dropped = [0, 1, 2, 3].filter((at) => after[from + at] === 0).map((at) => before[from + at]);
    const kept = [0, 1, 2, 3].filter((at) => after[from + at] !== 0).map((at) => before[from + at]);
    expect(kept.length).toBe(2);
    expect(kept).toEqual([...after.subarray(from, from + 4)].filter((value) => value !== 0));
    expect(Math.min(...kept.map(Math.abs))).toBeGreaterThanOrEqual(Math.max(...dropped.map(Math.abs)));
  }
  expect(weights.info('token_embd.weight')).toEqual(model.weights.info('token_embd.weight'));
  expect(weights.info(gate)?.dtype).toBe('f32');
  await model.weights.close();
});

it('feed-forward rows: what stays is what had the largest norms, the same rows in all three matrices', async () => {
  const model = await loadModel('tiny-llada');
  const { config, weights } = pruned(model.config, model.weights, parsePruning('ffn:0.25'));
  checkWeights(config, weights);
  expect(config.ffn).toBe(288);
  const { hidden, ffn } = model.config;
  const column = (values: Float32Array, width: number, at: number): number[] =>
    Array.from({ length: values.length / width }, (_, row) => values[row * width + at]);
  const row = (values: Float32Array, at: number): number[] => [
    ...values.subarray(at * hidden, (at + 1) * hidden),
  ];
  const [gates, downs] = [await model.weights.read(gate), await model.weights.read(down)];
  const [keptGates, keptDowns] = [await weights.read(gate), await weights.read(down)];
  const all = Array.from({ length: ffn }, (_, at) => at);
  const oldRows = new Map(all.map((old) => [row(gates, old).join(), old]));
  const places = Array.from(
    { length: config.ffn },
    (_, at) => oldRows.get(row(keptGates, at).join()) ?? Number.NaN,
  );
  expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
  places.forEach((old, at) => {
    expect(column(keptDowns, config.ffn, at)).toEqual(column(downs, ffn, old));
  });
  const ups = await model.weights.read('blk.1.ffn_up.weight');
  const norm = (values: readonly number[]): number => Math.hypot(...values);
  const score = all.map((at) => norm(row(gates, at)) * norm(row(ups, at)) * norm(column(downs, ffn, at)));
  const gone = all.filter((at) => !places.includes(at));
  expect(Math.max(...gone.map((at) => score[at]))).toBeLessThanOrEqual(
    Math.min(...places.map((at) => score[at])),
  );
  await model.weights.close();
});

it.each(['4:8', 'ffn', 'ffn:0', 'ffn:1', 'ffn:x'])('refuses %s', (text) => {
  expect(() => parsePruning(text)).toThrow(UsageError);
});
