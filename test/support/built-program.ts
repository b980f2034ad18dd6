import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { project } from '../../src/util/project-root.js';

const { root } = project();
export const TSC = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
);

/** Where the build of a test run lies: inside the project, so that it finds node_modules, but beside dist/. */
export const buildOf = (runDirectory: string): string =>
  join(root, 'node_modules', '.cache', 'dllm-npu', basename(runDirectory));

/**
 * What a user runs: the sources of now, compiled, under plain Node. Made once in a run of the tests, by the first file
 * that asks; the setup of the run removes it.
 * @returns the folder in place of `dist/`
 */
export async function builtProgram(): Promise<string> {
  const build = buildOf(tmpdir());
  const done = join(build, 'done');
  mkdirSync(dirname(build), { recursive: true });
  if (!claimed(build)) {
    for (let waited = 0; !existsSync(done); waited++) {
      if (waited > 3000) throw new Error(`the build in ${build} was begun and does not end`);
      await sleep(100);
    }
    return build;
  }
  const args = [TSC, '-p', join(root, 'tsconfig.build.json'), '--outDir', build, '--incremental', 'false'];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout);
  writeFileSync(done, '');
  return build;
}

/** Whether this call is the one that makes a folder. */
function claimed(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
