import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { EnvironmentError } from '../errors.js';

const packageSchema = z.object({ name: z.string(), version: z.string() });

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
      const parsed = packageSchema.safeParse(JSON.parse(readFileSync(manifest, 'utf8')));
      if (parsed.success && parsed.data.name === 'dllm-npu') {
        return { root: directory, version: parsed.data.version };
      }
    }
    const parent = dirname(directory);
    if (parent === directory) throw new EnvironmentError('package.json of dllm-npu not found above its code');
    directory = parent;
  }
}
