import { createRequire } from 'node:module';
import { DIRECTORY_VARIABLE, hasGgml } from './ggml/package.js';
import type { EngineName } from './registry.js';

const PRESENT: readonly (readonly [EngineName, () => boolean])[] = [
  // A directory that the user named is tried whatever is in it: he hears why it is not taken.
  ['ggml', () => Boolean(process.env[DIRECTORY_VARIABLE]) || (hasGgml() && resolves('koffi'))],
  ['ort', () => resolves('onnxruntime-node')],
  ['tfjs', () => true],
];

/**
 * Engines whose packages are installed, the fastest on a file first; the last is the reference, which is always there.
 * Whether one of them starts on this machine is seen when it is opened.
 */
export function fastestEngines(): readonly EngineName[] {
  return PRESENT.filter(([, isPresent]) => isPresent()).map(([name]) => name);
}

function resolves(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
