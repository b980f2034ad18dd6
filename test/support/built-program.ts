import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { explorerFiles } from '../../cli/explorer-page.js';
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
export const builtProgram = (): Promise<string> =>
  madeOnce(buildOf(tmpdir()), (build) => {
    // Without types, which others check, and declarations, which nobody reads here: a seventh of the time.
    const quick = ['--incremental', 'false', '--noCheck', '--declaration', 'false'];
    const args = [TSC, '-p', join(root, 'tsconfig.build.json'), '--outDir', build, ...quick];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stdout);
  });

/** The explorer as `explore` gives it, built where its code has changed; once in a run, too. @returns its folder */
export async function builtExplorer(): Promise<string> {
  const made = await madeOnce(join(tmpdir(), 'built'), (folder) => {
    mkdirSync(join(folder, 'explorer'));
    for (const [name, bytes] of explorerFiles()) writeFileSync(join(folder, 'explorer', name), bytes);
  });
  return join(made, 'explorer');
}

/** Stands in a folder that is whole. */
export const DONE = 'done';

/** Makes a folder where nobody has, and else waits until it is made. */
async function madeOnce(folder: string, make: (folder: string) => unknown): Promise<string> {
  const done = join(folder, DONE);
  mkdirSync(dirname(folder), { recursive: true });
  if (!claimed(folder)) {
    for (let waited = 0; !existsSync(done); waited++) {
      if (waited > 3000) throw new Error(`${folder} was begun and does not end`);
      await sleep(100);
    }
    return folder;
  }
  await make(folder);
  writeFileSync(done, '');
  return folder;
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
