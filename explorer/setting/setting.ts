import { z } from 'zod';
import { casesSchema, chipSchema, methodSchema } from '../../experiments/lab/setup.js';
import { UsageError } from '../../src/errors.js';

/** Positions that the shipped model has behind its longest prompts. */
const MOST_POSITIONS = 128;
/** The shipped model knows some four hundred words; a text that fills its context is far shorter than this. */
const LONGEST_PROMPT = 2000;

/**
 * Everything a decode in the explorer depends on: what a link holds. Method and chip are those of every run of this project;
 * the model that decides is always the shipped one.
 */
export const settingSchema = z.strictObject({
  problem: z.int().min(0).max(9999).default(3).describe('held-out problem of the shipped task, from 0'),
  prompt: z
    .string()
    .max(LONGEST_PROMPT)
    .nullable()
    .default(null)
    .describe('a text of your own in place of the problem'),
  ...methodSchema.shape,
  genLength: casesSchema.shape.genLength.removeDefault().max(MOST_POSITIONS).default(128),
  ...chipSchema.shape,
});
/** A complete setting. */
export type Setting = Readonly<z.output<typeof settingSchema>>;
/** What a link holds: what differs from the defaults. */
export type SettingInput = Readonly<z.input<typeof settingSchema>>;

/** @throws UsageError naming the key that is wrong */
export function parseSetting(raw: unknown): Setting {
  const parsed = settingSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${issue.path.join('.') || 'setting'}: ${issue.message}`);
}

/** What of a setting is not the default, in the order of the schema. */
export function differences(setting: Setting): SettingInput {
  const usual: Record<string, unknown> = settingSchema.parse({});
  return Object.fromEntries(
    Object.entries(setting).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(usual[key])),
  );
}
