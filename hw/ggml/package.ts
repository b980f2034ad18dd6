import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { environmentFailure } from '../device-error.js';

export type GgmlTool = 'llama-diffusion-cli' | 'llama-bench';

/** Files of an installed llama.cpp (`cmake --install`), those that one tool needs. */
export interface GgmlPackage {
  readonly tool: string;
  /** Paths of the libraries. */
  readonly libraries: readonly string[];
}

/**
 * Looks into a folder as `cmake --install --prefix` makes it: `bin/` with the tools, `lib/` with the libraries.
 * @throws DeviceError naming what is missing and how to get it
 */
export function ggmlPackage(directory: string, tool: GgmlTool): GgmlPackage {
  const advice =
    'Build llama.cpp with its Snapdragon preset (docs/backend/snapdragon) and name the installed folder with --package';
  const path = join(directory, 'bin', tool);
  if (!existsSync(path)) throw environmentFailure('package', `${path} does not exist`, advice);
  const folder = join(directory, 'lib');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /\.so(\.\d+)*$/.test(name)) : [];
  const libraries = names.map((name) => join(folder, name)).filter((file) => statSync(file).isFile());
  return { tool: path, libraries: libraries.sort() };
}
