import { EnvironmentError } from '../../errors.js';
import { bindApi, type GgmlApi, type Pointer } from './api.js';
import { type IKoffi, loadKoffi } from './koffi.js';
import { findGgml, type GgmlPackage, installAdvice } from './package.js';
import { selfTest } from './self-test.js';

/** A loaded ggml whose version and layouts are those this engine was written for. */
export interface Ggml {
  readonly api: GgmlApi;
  readonly koffi: IKoffi;
  readonly version: string;
  readonly source: GgmlPackage;
  /** Libraries stay loaded as long as somebody holds them. */
  readonly held: readonly unknown[];
}

/** Versions of ggml that this engine was tested with: its C API changes without notice from one to the next. */
export const GGML_VERSIONS: readonly string[] = ['0.25.1'];

const loaded = new Map<string, Ggml>();

/**
 * Loads ggml with all backends that can run on this machine.
 * @throws EnvironmentError when it is not installed, cannot be loaded, or is another version than this engine knows
 */
export function loadGgml(env: Readonly<Record<string, string | undefined>> = process.env): Ggml {
  const source = findGgml(env);
  const known = loaded.get(source.directory);
  if (known !== undefined) return known;
  const koffi = loadKoffi();
  const ggml = open(koffi, source);
  loaded.set(source.directory, ggml);
  return ggml;
}

function open(koffi: IKoffi, source: GgmlPackage): Ggml {
  const load = (path: string) => {
    try {
      return koffi.load(path);
    } catch (error) {
      throw new EnvironmentError(
        `engine ggml: cannot load ${path} (${reasonOf(error)}): it needs the C library it was built for (glibc on Linux); ${installAdvice()}`,
      );
    }
  };
  const base = load(source.base);
  const loader = load(source.loader);
  let version = 'of an unknown version';
  let api: GgmlApi;
  try {
    version = String(base.func('ggml_version', 'const char *', [])());
    api = bindApi(koffi, base, loader);
  } catch (error) {
    throw otherVersion(source, version, reasonOf(error));
  }
  if (!GGML_VERSIONS.includes(version)) throw otherVersion(source, version, 'its C API may differ');
  silence(api, base);
  // Of every processor there is a library of its own; the best one that runs here is taken.
  if (api.ggml_backend_dev_count() === 0) api.ggml_backend_load_all_from_path(`${source.directory}/`);
  if (api.ggml_backend_dev_count() === 0) {
    throw new EnvironmentError(
      `engine ggml: no library of ${source.directory} runs on this processor; use --engine tfjs`,
    );
  }
  const fault = selfTest(koffi, api);
  if (fault !== null) throw otherVersion(source, version, fault);
  return { api, koffi, version, source, held: [base, loader] };
}

function otherVersion({ directory, origin }: GgmlPackage, version: string, reason: string): EnvironmentError {
  return new EnvironmentError(
    `engine ggml: ${directory} (${origin}) is ggml ${version}, this engine needs ${GGML_VERSIONS.join(' or ')} (${reason}); ${installAdvice()}`,
  );
}

/**
 * ggml writes what it loads and allocates to standard error. Its log goes to a function of ggml's own that does nothing:
 * a JavaScript callback would be waited for by threads that the waiting JavaScript thread waits for.
 */
function silence(api: GgmlApi, base: { symbol(name: string): Pointer }): void {
  api.ggml_log_set(base.symbol('ggml_time_init'), null);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
