import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Versions that a folder of the onnxruntime-qnn package states; null when it does not say. */
export interface PackageVersions {
  readonly plugin: string | null;
  readonly qnn: string | null;
}

/** Reads `build_and_package_info.py`, which lies beside the libraries of the Python package. */
export function packageVersions(directory: string): PackageVersions {
  const path = join(directory, 'build_and_package_info.py');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const field = (name: string) => new RegExp(`^${name}\\s*=\\s*'([^']+)'`, 'm').exec(text)?.[1] ?? null;
  return { plugin: field('__version__'), qnn: field('qnn_version') };
}
