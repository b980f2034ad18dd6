import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** Name under which the test provider is registered. */
export const TEST_PROVIDER = 'TestProvider';

/**
 * Compiles the test provider.
 * @returns the library, or why there is none
 */
export function buildTestPlugin():
  | { readonly library: string; readonly missing: null }
  | { readonly missing: string } {
  if (process.platform !== 'linux') return { missing: 'built on Linux only' };
  const library = join(temporaryDirectory(), 'libtest_provider.so');
  const source = join(import.meta.dirname, 'provider.c');
  try {
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, source], {
      stdio: 'pipe',
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { missing: 'gcc is not installed' };
    throw error;
  }
  return { library, missing: null };
}
