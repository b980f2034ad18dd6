import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';

const { file, was, becomes, tests } = JSON.parse(process.env.DLLM_PLANTED);

/** Puts a fault in the place of a text, in what is loaded alone: no file is changed. */
const planted = {
  name: 'planted-fault',
  enforce: 'pre',
  transform(code, id) {
    if (relative(process.cwd(), id.replace(/\?.*$/, '')) !== file) return null;
    const parts = readFileSync(file, 'utf8').split(was);
    if (parts.length !== 2 || code !== parts.join(was)) throw new Error(`${file} does not hold once: ${was}`);
    return { code: parts.join(becomes), map: null };
  },
};

export default defineConfig({
  plugins: [planted],
  test: {
    include: tests,
    environment: 'node',
    globalSetup: ['test/support/run-directory.ts'],
    setupFiles: ['fast-check', 'clean-up', 'equal-bytes'].map((name) => `test/support/${name}.ts`),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    bail: 1,
    maxWorkers: 1,
  },
});
