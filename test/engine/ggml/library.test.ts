import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createGgmlEngine } from '../../../src/engine/ggml/engine.js';
import { findGgml, hasGgml } from '../../../src/engine/ggml/package.js';
import { EnvironmentError } from '../../../src/errors.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

afterEach(() => vi.unstubAllEnvs());

const config = tinyConfig();

async function fault(directory: string): Promise<string> {
  vi.stubEnv('DLLM_NPU_GGML', directory);
  const error = await createGgmlEngine(config, randomWeights(config)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EnvironmentError);
  const { message } = error as Error;
  // One line, and the way out.
  expect(message).not.toContain('\n');
  expect(message).toMatch(/npm install|--engine|--device/);
  return message;
}

describe('what is wrong with a library is an environment error', () => {
  it.skipIf(!hasGgml())('a device that is not there, naming those that are', async () => {
    await expect(createGgmlEngine(config, randomWeights(config), { device: 'htp0' })).rejects.toThrow(
      /there is no device htp0 here, only cpu/,
    );
  });

  it('a directory without libraries', async () => {
    expect(await fault('/nowhere')).toMatch(/\/nowhere \(DLLM_NPU_GGML\) has no libggml-base/);
  });

  it('a file that is no library, or is one of another C library', async () => {
    const directory = temporaryDirectory();
    for (const name of ['libggml-base.so', 'libggml.so'])
      writeFileSync(join(directory, name), 'not a library');
    expect(await fault(directory)).toMatch(
      /cannot load .*libggml-base\.so .* needs the C library it was built for/,
    );
  });

  it.skipIf(!hasGgml())('a library without the functions', async () => {
    const directory = temporaryDirectory();
    // The base in the place of the loader of backends.
    for (const name of ['libggml-base.so', 'libggml.so'])
      copyFileSync(findGgml().base, join(directory, name));
    expect(await fault(directory)).toMatch(/ggml_backend_load_all_from_path/);
  });

  it.skipIf(!hasGgml())('another version', async () => {
    const directory = temporaryDirectory();
    const { base, loader } = findGgml();
    const bytes = readFileSync(base);
    bytes.write('0.24.9', bytes.indexOf('0.25.1\0'));
    writeFileSync(join(directory, 'libggml-base.so'), bytes);
    copyFileSync(loader, join(directory, 'libggml.so'));
    expect(await fault(directory)).toMatch(/is ggml 0\.24\.9, this engine needs 0\.25\.1/);
  });
});
