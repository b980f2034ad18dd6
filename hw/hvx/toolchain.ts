import { spawnSync } from 'node:child_process';
import { EnvironmentError } from '../../src/errors.js';
import { lastLine } from '../device-error.js';

/** Programs that build, read and run Hexagon code; Debian packages clang-14, lld-14, llvm-14 and qemu-user. */
export const HEXAGON_TOOLS = {
  clang: 'clang-14',
  linker: 'ld.lld-14',
  objdump: 'llvm-objdump-14',
  qemu: 'qemu-hexagon',
} as const;

/** Tools that this machine lacks. */
export function missingHexagonTools(): readonly string[] {
  return Object.values(HEXAGON_TOOLS).filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
}

/** @throws EnvironmentError naming what to install */
export function requireHexagonTools(): void {
  const missing = missingHexagonTools();
  if (missing.length > 0) {
    throw new EnvironmentError(
      `${missing.join(', ')} not found: on Debian, apt-get install clang-14 lld-14 llvm-14 qemu-user`,
    );
  }
}

/**
 * Standard output of a program.
 * @throws EnvironmentError with what it said when it fails or does not end within a minute
 */
export function output(program: string, args: readonly string[], input?: Uint8Array): Buffer {
  const result = spawnSync(program, args, {
    maxBuffer: 1 << 28,
    timeout: 60_000,
    input,
  });
  if (result.error === undefined && result.status === 0) return result.stdout;
  const said = lastLine(result.stderr?.toString() ?? '');
  const how = result.error?.message ?? result.signal ?? `status ${result.status}`;
  throw new EnvironmentError(`${program} failed (${how})${said === '' ? '' : `: ${said}`}`);
}
