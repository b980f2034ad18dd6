import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError } from '../src/errors.js';
import { project } from '../src/util/project-root.js';
import { PACKED, packedScript } from './explorer-files.js';

/** Files of the explorer, with what a server calls them. */
export const EXPLORER_TYPES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
  'explorer.js': 'text/javascript; charset=utf-8',
  'build.json': 'application/json',
  [PACKED]: 'text/javascript; charset=utf-8',
};

/**
 * The files of the explorer by name. A clone builds it when it is missing or older than its sources; a package ships it.
 * @throws EnvironmentError when it cannot be built, or the package lacks it
 */
export function explorerFiles(): ReadonlyMap<string, Buffer> {
  const { root } = project();
  const folder = join(root, 'dist', 'explorer');
  const build = join(root, 'tools', 'explorer', 'build.mjs');
  if (existsSync(build)) {
    const { status, stderr } = spawnSync(process.execPath, [build, '--if-changed'], { encoding: 'utf8' });
    if (status !== 0)
      throw new EnvironmentError(`the explorer cannot be built (npm run explorer:build): ${stderr.trim()}`);
  }
  const files = new Map<string, Buffer>();
  for (const name of Object.keys(EXPLORER_TYPES)) {
    if (name === PACKED) files.set(name, Buffer.from(packedScript()));
    else if (existsSync(join(folder, name))) files.set(name, readFileSync(join(folder, name)));
    else throw new EnvironmentError(`${join(folder, name)} is missing: install dllm-npu again`);
  }
  return files;
}
