import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { DataError, UsageError } from '../../src/errors.js';
import { unknownName } from '../../src/util/nearest.js';
import { project } from '../../src/util/project-root.js';
import { parseJson, readText } from '../../src/util/read-file.js';
import { type Dimension, parseQuantity } from './quantity.js';
import { type HardwareProfile, profileSchema, SECTIONS, toProfile } from './schema.js';

function profilesDirectory(): string {
  return join(project().root, 'sim', 'hardware', 'profiles');
}

/** Names of the shipped profiles, sorted. */
export function profileNames(): string[] {
  return readdirSync(profilesDirectory())
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .sort();
}

/**
 * Loads a shipped profile by name, or a profile file by path (anything with a `/` or ending in `.json`).
 * @throws UsageError for an unknown name; DataError naming the field when the file is wrong
 */
export function loadProfile(nameOrPath: string): HardwareProfile {
  return parseProfile(profileText(nameOrPath), nameOrPath);
}

/** SHA-256 of the profile file, for results that must name what they were computed with. */
export function profileHash(nameOrPath: string): string {
  return createHash('sha256').update(profileText(nameOrPath)).digest('hex');
}

/** Text of a profile file, not checked. @throws UsageError for an unknown name; EnvironmentError when it cannot be read */
export function profileText(nameOrPath: string): string {
  const isPath = nameOrPath.includes('/') || nameOrPath.endsWith('.json');
  if (!isPath && !profileNames().includes(nameOrPath))
    throw unknownName('profile', nameOrPath, profileNames());
  const path = isPath ? nameOrPath : join(profilesDirectory(), `${nameOrPath}.json`);
  return readText(path);
}

/**
 * Checks and converts the text of a profile file.
 * @param origin shown in errors
 */
export function parseProfile(text: string, origin: string): HardwareProfile {
  const parsed = profileSchema.safeParse(parseJson(text, `profile ${origin}`));
  if (!parsed.success) throw new DataError(`profile ${origin}: ${describe(parsed.error.issues)}`);
  return toProfile(parsed.data);
}

function describe(issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`)
    .join('; ');
}

/**
 * A copy of a profile with some numbers replaced, for sweeps and what-if runs. Replaced numbers become
 * `assumed` with source `override`.
 * @param overrides path to text with unit, e.g. `{ 'npu.dmaRate': '60 GB/s' }`
 * @throws UsageError for an unknown path or a value of the wrong dimension
 */
export function overrideProfile(
  profile: HardwareProfile,
  overrides: Readonly<Record<string, string>>,
): HardwareProfile {
  if (Object.keys(overrides).length === 0) return profile;
  const provenance = { ...profile.provenance };
  const replaced = {} as Record<(typeof SECTIONS)[number], Record<string, number>>;
  for (const section of SECTIONS) replaced[section] = { ...profile[section] };
  for (const [path, text] of Object.entries(overrides)) {
    const known = provenance[path];
    if (known === undefined) throw unknownName('profile number', path, Object.keys(provenance));
    const { dimension } = known;
    const value = asked(path, text, dimension);
    provenance[path] = {
      value,
      text,
      dimension,
      kind: 'assumed',
      source: 'override',
      range: [value, value],
    };
    const [section, field] = path.split('.') as [(typeof SECTIONS)[number], string];
    replaced[section][field] = value;
  }
  return { ...profile, ...(replaced as Pick<HardwareProfile, (typeof SECTIONS)[number]>), provenance };
}

function asked(path: string, text: string, dimension: Dimension): number {
  try {
    return parseQuantity(text, dimension);
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
