import { createRequire } from 'node:module';
import { hasGgml } from './ggml/package.js';
import type { EngineName } from './registry.js';

const PRESENT: readonly (readonly [EngineName, () => boolean])[] = [
  ['ggml', () => hasGgml() && resolves('koffi')],
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
