import { z } from 'zod';
import { contentHash } from './canonical.js';

export const RUN_SCHEMA = 'dllm-npu/run@1';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a lower-case SHA-256');

/** What a run is: everything its result depends on. */
const identity = {
  kind: z.string().min(1),
  config: z.record(z.string(), z.json()),
  /** SHA-256 of the files it read. */
  inputs: z.record(z.string(), sha256),
  /** SHA-256 of the code that computed it. */
  code: sha256,
};

/** One run with its result. No clock and no host in it: same run, same bytes. */
export const runRecordSchema = z.strictObject({
  schema: z.literal(RUN_SCHEMA),
  hash: sha256,
  ...identity,
  version: z.string(),
  /** `refused`: the combination cannot run, and `reason` says why. */
  outcome: z.enum(['done', 'refused']),
  metrics: z.record(z.string(), z.number().nullable()),
  detail: z.json().optional(),
  reason: z.string().optional(),
});

export type RunRecord = z.infer<typeof runRecordSchema>;
export type RunIdentity = Pick<RunRecord, 'kind' | 'config' | 'inputs' | 'code'>;

/** The address of a run. */
export function runHash({ kind, config, inputs, code }: RunIdentity): string {
  return contentHash({ kind, config, inputs, code });
}

/** A line of the index: what a run was, and the circumstances that are no part of its result. */
export const indexLineSchema = z.strictObject({
  hash: sha256,
  kind: z.string(),
  outcome: z.enum(['done', 'refused']),
  code: sha256,
  config: z.record(z.string(), z.json()),
  /** End of the run; null where only the run's own file is left to tell. */
  finishedAt: z.string().nullable(),
  seconds: z.number().nullable(),
  node: z.string().nullable(),
  host: z.string().nullable(),
  gitCommit: z.string().nullable(),
});

export type IndexLine = z.infer<typeof indexLineSchema>;
