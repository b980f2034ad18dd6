import { configDefaults, defineConfig } from 'vitest/config';
import { HeavyFirst } from './test/support/heavy-first.js';

/** Files that put other modules in the place of ours, or look at how a library is loaded: each in a process of its own. */
export const ALONE = [
  'test/util/atomic-order.test.ts',
  'test/engine/verify-policy-verdicts.test.ts',
  'test/experiments/lab/identity.test.ts',
  'test/experiments/lab/runner.test.ts',
  'test/properties/replay.test.ts',
  'test/engine/ggml/no-processor.test.ts',
];

export default defineConfig({
  test: {
    benchmark: { include: ['bench/**/*.bench.ts'] },
    environment: 'node',
    globalSetup: ['test/support/run-directory.ts'],
    setupFiles: ['fast-check', 'clean-up', 'equal-bytes'].map((name) => `test/support/${name}.ts`),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // One more than the cores of a small machine: tests of phones and kills wait for other processes (ADR 193).
    maxWorkers: 3,
    sequence: { sequencer: HeavyFirst },
    projects: [
      // Modules are loaded once a worker and not once a file: a fifth of the time of the suite (ADR 168).
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...ALONE],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, benchmark: { exclude: ['**'] } } },
    ],
  },
});
