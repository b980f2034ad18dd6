import { expect, it } from 'vitest';
import { WORKBENCH_DEFAULTS } from '../../experiments/comparison/options.js';
import { Workbench } from '../../experiments/comparison/workbench.js';
import { MODEL_CASES } from '../../experiments/lab/deciders/name.js';
import { variant } from '../../experiments/lab/decode-statistics.js';
import { ABLATION_DEFAULTS } from '../../experiments/studies/ladder/options.js';

it('a result names the cases that ran, not those that were there', async () => {
  const bench = new Workbench({ ...WORKBENCH_DEFAULTS, genLength: 32 });
  const decodes = await bench.decodes('synthetic');
  await decodes.run(variant('threshold'), 'none', 3);
  expect(decodes.decided).toContain(' 3 cases of seed 1');
  await decodes.run(variant('threshold'), 'none', 2);
  expect(decodes.decided).toContain(' 3 cases of seed 1; parts of it on 2 of them');
  decodes.startCounting();
  expect(decodes.decided).toBe('synthetic, on as many cases as the runs say');
  // Asked before and remembered: it counts all the same.
  await decodes.run(variant('threshold'), 'none', 2);
  expect(decodes.decided).toContain(' 2 cases of seed 1');
  await bench.close();
});

it('the ladder and the studies of a model have the same cases', () => {
  expect(ABLATION_DEFAULTS.prompts).toBe(MODEL_CASES);
});
