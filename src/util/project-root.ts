import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../errors.js';

interface Project {
  /** Directory of the project's package.json: models/, results/ and profiles are found from here. */
  readonly root: string;
  readonly version: string;
}

let found: Project | undefined;

/** Finds the project from the code's own place, so that it works from sources, from dist/ and when installed. */
export function project(): Project {
  found ??= findProject();
  return found;
}

function findProject(): Project {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(directory, 'package.json');
    if (existsSync(manifest)) {
      const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, unknown>;
      if (name === 'dllm-npu') return { root: directory, version: String(version) };
    }
    const parent = dirname(directory);
    if (parent === directory) throw new EnvironmentError('package.json of dllm-npu not found above its code');
    directory = parent;
  }
}
