import { relative } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';

/**
 * A failing property prints the command that runs its shrunk counterexample again, and only that. `DLLM_CASE` is what
 * the command hands back: `SEED:PATH`.
 */
const [, seed, path] = /^(-?\d+):(.+)$/.exec(process.env.DLLM_CASE ?? '') ?? [];

fc.configureGlobal({
  // A planted fault only has to be noticed: the same draws every time, and no search for the smallest.
  ...(process.env.DLLM_MUTATE === undefined ? {} : { seed: 1, endOnFailure: true }),
  ...(seed === undefined ? {} : { seed: Number(seed), path, endOnFailure: true }),
  reporter: (details) => {
    if (!details.failed) return;
    const { testPath = '', currentTestName = '' } = expect.getState();
    const name = currentTestName
      .replaceAll(' > ', ' ')
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll("'", '.');
    const command = `DLLM_CASE='${details.seed}:${details.counterexamplePath}' node node_modules/vitest/vitest.mjs run ${relative(process.cwd(), testPath)} -t '${name}'`;
    throw new Error(`${fc.defaultReportMessage(details)}\n\nRun this case again:\n  ${command}\n`, {
      cause: details.errorInstance,
    });
  },
});
