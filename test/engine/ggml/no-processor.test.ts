import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { createGgmlEngine } from '../../../src/engine/ggml/engine.js';
import { findGgml, hasGgml } from '../../../src/engine/ggml/package.js';
import { EnvironmentError } from '../../../src/errors.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

// A file of its own: a process that has loaded ggml once finds its backends again, whatever folder it is pointed at.
it.skipIf(!hasGgml())('libraries of which none runs on this processor are an environment error', async () => {
  const directory = temporaryDirectory();
  const { base, loader } = findGgml();
  // The package has a library for every kind of processor; a build for AVX2 alone has none for one without.
  copyFileSync(base, join(directory, 'libggml-base.so'));
  copyFileSync(loader, join(directory, 'libggml.so'));
  vi.stubEnv('DLLM_NPU_GGML', directory);
  const config = tinyConfig();
  const error = await createGgmlEngine(config, randomWeights(config)).catch((thrown: unknown) => thrown);
  vi.unstubAllEnvs();
  expect(error).toBeInstanceOf(EnvironmentError);
  const { message } = error as Error;
  expect(message).not.toContain('\n');
  expect(message).toMatch(/no library of .* runs on this processor; use --engine tfjs/);
});
