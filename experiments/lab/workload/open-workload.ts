import { UsageError } from '../../../src/errors.js';
import { fileSha256, loadModel } from '../../../src/model/load.js';
import type { DecidingEngine } from '../open-engine.js';
import type { Workload } from './workload.js';

/** Accepted forms, for help texts. */
export const WORKLOAD_FORMS =
  'a model (tiny-llada), trace:FILE_OR_DIRECTORY, synthetic, synthetic:PROFILE, or synthetic:PROFILE,prompt=TOKENS';

/**
 * @param name see `WORKLOAD_FORMS`
 * @param seed of the problems or of the process
 * @param engine that runs a model
 * @throws UsageError for an unknown name
 */
export async function openWorkload(
  name: string,
  seed: number,
  engine: DecidingEngine = 'tfjs',
): Promise<Workload> {
  const [kind, rest] = parted(name);
  if (kind === 'trace') {
    const { openTraceWorkload } = await import('./trace-workload.js');
    return openTraceWorkload(rest);
  }
  if (kind === 'synthetic') {
    const { openSyntheticWorkload } = await import('./synthetic/workload.js');
    const { PAPER_PROFILE } = await import('./synthetic/profiles.js');
    const [profile = '', prompt] = rest.split(',');
    return openSyntheticWorkload(
      profile === '' ? PAPER_PROFILE : profile,
      seed,
      ...(prompt === undefined ? [] : [promptTokensOf(prompt)]),
    );
  }
  const { openModelWorkload } = await import('./model-workload.js');
  return openModelWorkload(name, seed, engine);
}

function promptTokensOf(option: string): number {
  const tokens = /^prompt=([1-9]\d*)$/.exec(option)?.[1];
  if (tokens === undefined) {
    throw new UsageError(
      `unknown option "${option}" of the synthetic workload: prompt=TOKENS is the only one`,
    );
  }
  return Number(tokens);
}

function parted(name: string): [kind: string, rest: string] {
  const colon = name.indexOf(':');
  return colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)];
}

const hashes = new Map<string, Promise<Readonly<Record<string, string>>>>();

/**
 * SHA-256 of the files a workload is made of, by what they are; each file is read once per process.
 * @throws UsageError for an unknown workload
 */
export function workloadInputs(name: string): Promise<Readonly<Record<string, string>>> {
  let found = hashes.get(name);
  if (found === undefined) {
    found = hashWorkload(name);
    hashes.set(name, found);
  }
  return found;
}

async function hashWorkload(name: string): Promise<Record<string, string>> {
  const [kind, rest] = parted(name);
  if (kind === 'trace') {
    const { traceFiles } = await import('./trace-workload.js');
    const files = traceFiles(rest).map(async (path) => [`trace ${path}`, await fileSha256(path)] as const);
    return Object.fromEntries(await Promise.all(files));
  }
  if (kind === 'synthetic') {
    const { processPath } = await import('./synthetic/profiles.js');
    // Refuses an unknown profile.
    (await openWorkload(name, 0)).close();
    return { 'confidence process': await fileSha256(processPath()) };
  }
  const { weights, weightsPath } = await loadModel(name);
  await weights.close();
  return { [`model ${name}`]: await fileSha256(weightsPath) };
}
