import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EnvironmentError } from '../../errors.js';

/** Where the libraries of ggml are. */
export interface GgmlPackage {
  readonly directory: string;
  readonly base: string;
  readonly loader: string;
  /** What it is and how to get the one that is wanted, for messages. */
  readonly origin: string;
}

/** The release of node-llama-cpp whose packages carry the ggml that this engine is written for. */
export const PACKAGE_VERSION = '3.22.1';

/** Names a directory with libggml-base, libggml and backends of one's own. */
export const DIRECTORY_VARIABLE = 'DLLM_NPU_GGML';

/** Platform packages of node-llama-cpp, the one with most devices first. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'linux-x64': ['linux-x64-cuda', 'linux-x64-vulkan', 'linux-x64'],
  'linux-arm64': ['linux-arm64'],
  'darwin-arm64': ['mac-arm64-metal'],
  'darwin-x64': ['mac-x64'],
  'win32-x64': ['win-x64-cuda', 'win-x64-vulkan', 'win-x64'],
  'win32-arm64': ['win-arm64'],
};

const platform = `${process.platform}-${process.arch}`;

/** What to install on this machine. */
export function installAdvice(): string {
  const names = PACKAGES[platform] ?? [];
  const plain = names.at(-1);
  return plain === undefined
    ? `there is no prebuilt ggml for ${platform}: build llama.cpp and name its libraries with ${DIRECTORY_VARIABLE} (docs/howto/ggml.md), or use --engine tfjs`
    : `npm install koffi @node-llama-cpp/${plain}@${PACKAGE_VERSION}, or use --engine ort`;
}

/**
 * Finds the libraries: in the directory that the environment names, else in an installed package of node-llama-cpp.
 * @param packages platform packages that are looked for, the first that is there is taken
 * @throws EnvironmentError when there are none
 */
export function findGgml(
  env: Readonly<Record<string, string | undefined>> = process.env,
  packages = PACKAGES[platform] ?? [],
): GgmlPackage {
  const named = env[DIRECTORY_VARIABLE];
  if (named) return inDirectory(named, DIRECTORY_VARIABLE);
  for (const name of packages) {
    const manifest = manifestOf(`@node-llama-cpp/${name}`);
    if (manifest === null) continue;
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    return inDirectory(join(dirname(manifest), 'bins', name), `@node-llama-cpp/${name} ${version}`);
  }
  throw new EnvironmentError(`engine ggml: its libraries are not installed; ${installAdvice()}`);
}

/** Whether libraries are there; not whether they work. */
export function hasGgml(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  try {
    findGgml(env);
    return true;
  } catch {
    return false;
  }
}

function manifestOf(name: string): string | null {
  try {
    // The packages export nothing but their entry: the manifest lies one folder above it.
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'package.json');
  } catch {
    return null;
  }
}

function inDirectory(directory: string, origin: string): GgmlPackage {
  const files = existsSync(directory) ? readdirSync(directory) : [];
  const pick = (pattern: RegExp) => files.filter((file) => pattern.test(file)).sort()[0];
  const base = pick(/^(lib)?ggml-base(\.[\w.]+)?\.(so|dylib|dll)(\.[\d.]+)?$/);
  const loader = pick(/^(lib)?ggml(\.[\w.]+)?\.(so|dylib|dll)(\.[\d.]+)?$/);
  if (base === undefined || loader === undefined) {
    throw new EnvironmentError(
      `engine ggml: ${directory} (${origin}) has no ${base === undefined ? 'libggml-base' : 'libggml'}; ${installAdvice()}`,
    );
  }
  return { directory, base: join(directory, base), loader: join(directory, loader), origin };
}
