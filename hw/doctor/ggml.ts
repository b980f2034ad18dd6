import { type GgmlDevice, listDevices } from '../../src/engine/ggml/devices.js';
import { loadGgml } from '../../src/engine/ggml/library.js';
import { installAdvice } from '../../src/engine/ggml/package.js';
import { DllmError } from '../../src/errors.js';
import { type Finding, found, missing } from './finding.js';

/** The installed ggml, and what it computes on here: names for `--device`. */
export function inspectGgml(env: Readonly<Record<string, string | undefined>>): {
  readonly finding: Finding;
  readonly devices: readonly GgmlDevice[];
} {
  const what = 'ggml';
  try {
    const ggml = loadGgml(env);
    const devices = listDevices(ggml);
    const names = devices.map(({ name, description }) => `${name} (${description})`).join(', ');
    return { finding: found(what, `${ggml.version}, ${ggml.source.origin}: ${names}`), devices };
  } catch (error) {
    if (!(error instanceof DllmError)) throw error;
    return { finding: missing(what, error.message, installAdvice()), devices: [] };
  }
}
