import { globSync } from 'tinyglobby';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

/** Of the room that is run, in order. */
const { tests: patterns, isolate } = JSON.parse(process.env.DLLM_MUTATE_TESTS);
const order = [...new Set(patterns.flatMap((pattern) => globSync(pattern).sort()))];

/** The order of the room's list; vitest's own begins with the slowest. */
class InOrder extends BaseSequencer {
  async sort(files) {
    const rank = (file) => order.findIndex((name) => file.moduleId.endsWith(name));
    return [...files].sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: order,
    environment: 'node',
    globalSetup: ['test/support/run-directory.ts'],
    setupFiles: ['fast-check', 'clean-up', 'equal-bytes'].map((name) => `test/support/${name}.ts`),
    // A busy machine may stop a run for minutes; Stryker ends a mutant that hangs.
    testTimeout: 900_000,
    hookTimeout: 120_000,
    sequence: { sequencer: InOrder },
    isolate,
  },
});
