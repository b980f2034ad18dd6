import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scorerOf } from '../../src/score/scorers/registry.js';
import { project } from '../../src/util/project-root.js';

/** origin: tools/golden/lm_eval_gsm8k.py, the filters and the metric of lm-evaluation-harness 0.4.13 themselves. */
const { cases } = JSON.parse(
  readFileSync(join(project().root, 'test/golden/lm-eval-gsm8k.json'), 'utf8'),
) as {
  readonly cases: readonly (readonly [text: string, answer: string, strict: boolean, flexible: boolean])[];
};

it.each([
  ['gsm8k-strict', 2],
  ['gsm8k-flexible', 3],
] as const)('%s judges as lm-evaluation-harness does', (name, column) => {
  const { isRight } = scorerOf(name);
  const differing = cases.filter((one) => isRight(one[0], one[1]) !== one[column]);
  expect(differing).toEqual([]);
  // Both verdicts are tried, and not a few times.
  const right = cases.filter((one) => one[column]).length;
  expect(Math.min(right, cases.length - right)).toBeGreaterThan(100);
});
