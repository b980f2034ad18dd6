import { z } from 'zod';
import { casesSchema, chipSchema } from '../lab/setup.js';
import type { ResultStore } from '../lab/store.js';

const { costModel, quant, profile } = chipSchema.shape;
const { seed, cases, genLength } = casesSchema.shape;

/** What a study's result depends on, besides the study. */
export const workbenchSchema = z.object({
  workload: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'who decides: a model (tiny-llada), trace:FILE, synthetic, synthetic:PROFILE (default: each study its own)',
    ),
  costModel,
  quant,
  profile,
  prompts: cases
    .unwrap()
    .nullable()
    .default(null)
    .describe('cases of studies that decode (default: 12 of a model, 24 of a process)'),
  seed,
  genLength,
  quick: z.boolean().default(false).describe('alternatives: one case, and one thing changed at a time'),
});

export type WorkbenchOptions = z.infer<typeof workbenchSchema>;

export const WORKBENCH_DEFAULTS: WorkbenchOptions = workbenchSchema.parse({});

export interface WorkbenchHooks {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** Where runs of studies that are made of runs are kept; default: for as long as the workbench is open. */
  readonly store?: ResultStore;
  /** Worker threads of such runs; default 0, the calling thread. */
  readonly jobs?: number;
  readonly gitCommit?: string;
}
