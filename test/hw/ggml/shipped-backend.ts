import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../../../src/util/cache-directory.js';

/** A build of llama.cpp with the Hexagon backend that somebody else ships; never a dependency, only read here. */
const PACKAGE = '@fugood/node-llama-linux-arm64-snapdragon';
const VERSION = '1.7.15';
const BINARY = 'index.node';
/** The archive has 7.6 MB. */
const FETCH_TIMEOUT_MS = 90_000;

/**
 * The binary, fetched once into the cache with `npm pack`; null, with a line that says why, where it cannot be had.
 * DLLM_NPU_OFFLINE=1 keeps it from being fetched.
 */
export function shippedBackend(): Buffer | null {
  const place = join(cacheDirectory(), 'ggml-hexagon', VERSION);
  const binary = join(place, BINARY);
  if (!existsSync(binary)) {
    try {
      if (process.env.DLLM_NPU_OFFLINE) throw new Error('DLLM_NPU_OFFLINE is set');
      fetchInto(place);
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
      console.warn(`${PACKAGE} ${VERSION} cannot be had, its tests are skipped: ${reason}`);
      return null;
    }
  }
  return readFileSync(binary);
}

/** Either all of it appears or none. */
function fetchInto(place: string): void {
  mkdirSync(join(place, '..'), { recursive: true });
  const work = mkdtempSync(join(place, '..', 'fetch-'));
  try {
    const run = (program: string, args: string[]) =>
      execFileSync(program, args, {
        cwd: work,
        timeout: FETCH_TIMEOUT_MS,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        shell: process.platform === 'win32' && program === 'npm',
      });
    const archive = run('npm', ['pack', `${PACKAGE}@${VERSION}`, '--silent', '--ignore-scripts']).trim();
    run('tar', ['xzf', archive, `package/${BINARY}`]);
    rmSync(place, { recursive: true, force: true });
    renameSync(join(work, 'package'), place);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Printable strings of a binary, as `strings -n 4` finds them. */
export function stringsOf(binary: Buffer): string[] {
  return binary.toString('latin1').match(/[\x20-\x7e]{4,}/g) ?? [];
}

/** What printf makes of a format, one value per conversion. @throws when the number of values differs */
export function printf(format: string, values: readonly (string | number)[]): string {
  let at = 0;
  const text = format.replaceAll(
    /%(?:\.(\d+))?(?:ll|l|z)?([sdufx])/g,
    (_, digits: string | undefined, kind: string) => {
      const value = values[at++];
      if (value === undefined) throw new Error(`too few values for ${format}`);
      if (kind === 'f') return Number(value).toFixed(Number(digits ?? 6));
      return kind === 'x' ? Number(value).toString(16) : String(value);
    },
  );
  if (at !== values.length) throw new Error(`${values.length} values for ${at} conversions of ${format}`);
  return text;
}
