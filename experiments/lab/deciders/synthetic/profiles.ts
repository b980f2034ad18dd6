import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../../../src/errors.js';
import { unknownName } from '../../../../src/util/nearest.js';
import { project } from '../../../../src/util/project-root.js';
import { readJsonAs } from '../../../../src/util/read-file.js';
import { PAPER_PROFILE } from '../name.js';

const finite = z.number().refine(Number.isFinite, 'must be finite');

export const parametersSchema = z.strictObject({
  bias: finite,
  gapWeight: finite,
  densityWeight: finite,
  densityScale: finite.positive(),
  easyShare: finite.min(0).max(1),
  easyBonus: finite,
  spread: finite.min(0),
  sharpness: finite.positive(),
  wrongWeight: finite.max(1),
  knee: finite,
  endBonus: finite,
  selfBonus: finite,
});

const residualSchema = z.strictObject({ name: z.string(), fitted: finite, target: finite });

const profileSchema = z.strictObject({
  description: z.string().min(1),
  /** Added to the fitted bias: all that tells one task from another. Below 0: harder. */
  shift: finite,
  /** How it was found. */
  basis: z.string().min(1),
  /** Mean tokens before the end of text; null: the text fills every answer. */
  textTokens: finite.positive().nullable(),
});

export const processFileSchema = z.strictObject({
  schema: z.literal('dllm-npu/confidence-process@1'),
  fittedTo: z.string(),
  command: z.string(),
  objective: z.string(),
  value: finite,
  seed: z.int(),
  cases: z.int().min(1),
  genLength: z.int().min(1),
  evaluations: z.int().min(1),
  parameters: parametersSchema,
  /** Parameters that the two figures say nothing about, and why they have their values. */
  assumed: z.record(z.string(), z.string()),
  residuals: z.array(residualSchema),
  profiles: z.record(z.string(), profileSchema),
});

export type ProcessFile = z.infer<typeof processFileSchema>;
export type ProfileEntry = z.infer<typeof profileSchema>;

export function processPath(): string {
  return join(project().root, 'experiments', 'lab', 'deciders', 'synthetic', 'fitted.json');
}

let loaded: ProcessFile | undefined;

/** The process as it was fitted. @throws DataError when the file is damaged */
export function processFile(): ProcessFile {
  loaded ??= readJsonAs(processPath(), processFileSchema);
  return loaded;
}

/** A process and one of its profiles. */
export interface NamedProcess {
  readonly parameters: ProcessFile['parameters'];
  readonly profile: ProfileEntry;
  /** The file that holds both. */
  readonly path: string;
}

/**
 * @param name a profile of the shipped process, or the path of a process that `workload fit` wrote
 * @throws UsageError with the nearest names; EnvironmentError or DataError for a file
 */
export function processByName(name: string): NamedProcess {
  if (name.endsWith('.json')) {
    const { parameters, profiles } = readJsonAs(name, processFileSchema);
    const profile = profiles[PAPER_PROFILE];
    if (profile === undefined) throw new DataError(`${name}: no profile "${PAPER_PROFILE}"`);
    return { parameters, profile, path: name };
  }
  const { parameters, profiles } = processFile();
  const profile = profiles[name];
  if (profile === undefined) throw unknownName('synthetic profile', name, Object.keys(profiles));
  return { parameters, profile, path: processPath() };
}
