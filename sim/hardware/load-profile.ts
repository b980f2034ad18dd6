import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { DataError, UsageError } from '../../src/errors.js';
import { unknownName } from '../../src/util/nearest.js';
import { project } from '../../src/util/project-root.js';
import { parseJson, readText } from '../../src/util/read-file.js';
import { type Dimension, parseQuantity, type QuantityEntry } from './quantity.js';
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
  const hash = createHash('sha256');
  let text = profileText(nameOrPath);
  for (let parent = parentOf(text); ; parent = parentOf(text)) {
    hash.update(text);
    if (parent === undefined) return hash.digest('hex');
    text = profileText(parent);
  }
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
  const parsed = profileSchema.safeParse(completed(text, origin));
  if (!parsed.success) throw new DataError(`profile ${origin}: ${describe(parsed.error.issues)}`);
  return toProfile(parsed.data);
}

const derivedSchema = z.looseObject({ extends: z.string().optional() });

function parentOf(text: string): string | undefined {
  const parsed = derivedSchema.safeParse(parseJson(text, 'profile'));
  return parsed.success ? parsed.data.extends : undefined;
}

type Sections = Record<string, Record<string, unknown> | undefined>;

/** How far a number may be off on another chip than it was measured on. */
const CARRIED = [0.7, 1.4] as const;

/**
 * The whole content of a file: what it leaves out is the number of the chip it `extends`, which on this one is an assumption.
 * @throws UsageError for an unknown chip; DataError where chips extend each other in a circle
 */
function completed(text: string, origin: string, depth = 0): unknown {
  const own = parseJson(text, `profile ${origin}`);
  const parent = derivedSchema.safeParse(own).data?.extends;
  if (parent === undefined) return own;
  if (depth > 4) throw new DataError(`profile ${origin}: extends goes in a circle`);
  const base = completed(profileText(parent), parent, depth + 1) as Sections;
  const { extends: _, ...file } = own as Sections & { extends: string };
  const whole: Sections = { ...file };
  for (const section of SECTIONS) {
    const carried = Object.entries(base[section] ?? {}).map(([field, entry]) => [
      field,
      carriedOver(entry as QuantityEntry, parent),
    ]);
    whole[section] = { ...Object.fromEntries(carried), ...file[section] };
  }
  return whole;
}

/** Counts stay what they are; of everything else a range says how little is known. */
function carriedOver({ value, source, range, note }: QuantityEntry, parent: string): QuantityEntry {
  const [, number, unit] = /^([\d.e+-]+)(.*)$/.exec(value) ?? [];
  const ends = CARRIED.map((share) => `${Number((Number(number) * share).toPrecision(4))}${unit}`);
  const spread: [string, string] = unit?.trim() ? [ends[0], ends[1]] : [value, value];
  return {
    value,
    kind: 'assumed',
    source: `carried over from ${parent} (${source})`,
    range: range ?? spread,
    note,
  };
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
