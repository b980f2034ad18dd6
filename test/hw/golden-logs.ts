import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { project } from '../../src/util/project-root.js';

/** Where a fixture comes from: only `recorded-device` says anything about a device. */
export const ORIGINS = ['upstream-doc', 'upstream-source', 'recorded-device', 'synthetic'] as const;

const schema = z.strictObject({
  note: z.string(),
  fixtures: z.array(
    z.strictObject({ name: z.string(), origin: z.enum(ORIGINS), format: z.string(), text: z.string() }),
  ),
});

/** Texts of a file of fixtures by name. */
export function goldenTexts(file: string): Readonly<Record<string, string>> {
  const { fixtures } = schema.parse(
    JSON.parse(readFileSync(join(project().root, 'test', 'golden', file), 'utf8')),
  );
  return Object.fromEntries(fixtures.map(({ name, text }) => [name, text]));
}
