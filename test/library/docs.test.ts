import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';

// Slow for a test, ten seconds: the generator reads every file that the doors reach with a compiler of its own.
it('every name that users of the library see is documented', () => {
  const build = join(project().root, 'tools/docs/build.mjs');
  const { stdout, stderr, status } = spawnSync(process.execPath, [build, '--check'], { encoding: 'utf8' });
  expect(stdout + stderr).toBe('');
  expect(status).toBe(0);
});
