import { relative } from 'node:path';
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

/** `files`: tests, in order; `texts`: a file with what is loaded in place of each source; `isWarm`: the runner that tries many faults. */
const { files, texts: path, isolate, isWarm } = JSON.parse(readFileSync(process.env.DLLM_MUTATE_RUN, 'utf8'));
const texts = JSON.parse(readFileSync(path, 'utf8'));

/** The order of the list; vitest's own begins with the slowest. */
class InOrder extends BaseSequencer {
  async sort(specs) {
    const rank = ({ moduleId }) => files.findIndex((name) => moduleId.endsWith(name));
    return [...specs].sort((a, b) => rank(a) - rank(b));
  }
}

/** Puts sources with faults in the place of the true ones, in what is loaded alone: no file is changed. */
const planted = {
  name: 'planted-faults',
  enforce: 'pre',
  transform(_code, id) {
    const code = texts[relative(process.cwd(), id.replace(/\?.*$/, ''))];
    return code === undefined ? null : { code, map: null };
  },
};

export default defineConfig({
  plugins: [planted],
  test: {
    include: files,
    environment: 'node',
    globalSetup: ['test/support/run-directory.ts'],
    setupFiles: ['fast-check', 'clean-up', 'equal-bytes'].map((name) => `test/support/${name}.ts`),
    ...(isWarm ? { runner: 'tools/mutate/warm-runner.mjs' } : { bail: 1 }),
    // A busy machine may stop a run for minutes; an endless loop is ended by its count, or by the processor time that it took.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    sequence: { sequencer: InOrder },
    pool: 'threads',
    maxWorkers: 1,
    isolate,
  },
});
