import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../src/errors.js';
import { fileSha256 } from '../../src/model/load.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { readJsonAs } from '../../src/util/read-file.js';
import { type Evidence, evidenceSchema } from './evidence.js';
import { classify, EXECUTION_CLASSES } from './execution-class.js';

/** Version of the record format. */
export const DEVICE_RECORD_SCHEMA = 'dllm-npu/run-record@1';

const fileSchema = z.strictObject({
  name: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().nonnegative(),
  version: z.string().nullable(),
});

const opTimeSchema = z.strictObject({
  /** Operator of the graph, e.g. `blk.0.attn_q`. */
  op: z.string(),
  cycles: z.number().nonnegative().nullable(),
  us: z.number().nonnegative().nullable(),
});

const runSchema = z.strictObject({
  /** Plan or input it ran. */
  id: z.string(),
  /** Extents of the compiled graph it ran in, where there is one. */
  bucket: z.strictObject({ rows: z.int().positive(), context: z.int().nonnegative() }).optional(),
  /** Wall-clock time of the host around the run. */
  hostMs: z.number().nonnegative(),
  /** Time on the accelerator, from its profile. */
  acceleratorUs: z.number().nonnegative().nullable(),
  acceleratorCycles: z.number().nonnegative().nullable(),
  ops: z.array(opTimeSchema),
});

/** What a record says of the run as a whole, for reports that quote it. */
export const recordParts = {
  /** What was missing for a higher class. */
  missing: z.array(z.string()),
  evidence: evidenceSchema,
  tool: z.strictObject({ name: z.string(), version: z.string().nullable() }),
  /** Every library and model file that took part. */
  files: z.array(fileSchema),
  target: z.strictObject({
    soc: z.string().nullable(),
    htpArch: z.string().nullable(),
    os: z.string().nullable(),
  }),
  /** Options of the backend, as passed. */
  options: z.record(z.string(), z.string()),
};

const recordSchema = z.strictObject({
  schema: z.literal(DEVICE_RECORD_SCHEMA),
  executionClass: z.enum(EXECUTION_CLASSES),
  ...recordParts,
  model: z.strictObject({ name: z.string(), numerics: z.string() }),
  runs: z.array(runSchema),
  /** Why it did not run to its end; null when it did. */
  failure: z
    .strictObject({
      kind: z.enum(['refused', 'crashed', 'timeout', 'environment']),
      stage: z.string(),
      reason: z.string(),
    })
    .nullable(),
  startedAt: z.iso.datetime(),
});

/** Numerics of a record whose graph was compiled elsewhere. */
export const AS_COMPILED = 'as compiled';

export type DeviceRecord = z.infer<typeof recordSchema>;
export type FileRecord = z.infer<typeof fileSchema>;
export type RunTiming = z.infer<typeof runSchema>;
export type OpTime = z.infer<typeof opTimeSchema>;
export type Failure = NonNullable<DeviceRecord['failure']>;

/** A record whose class is what its evidence supports: nobody states a class. */
export function deviceRecord(
  evidence: Evidence,
  rest: Omit<DeviceRecord, 'schema' | 'executionClass' | 'missing' | 'evidence'>,
): DeviceRecord {
  const { executionClass, missing } = classify(evidence);
  return {
    schema: DEVICE_RECORD_SCHEMA,
    executionClass,
    missing: [...missing],
    evidence: { ...evidence },
    ...rest,
  };
}

/** @throws EnvironmentError when the place cannot be written */
export function writeDeviceRecord(path: string, record: DeviceRecord): void {
  atomicWriteFile(path, `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Reads a record and checks that its class is the one its evidence supports.
 * @throws DataError naming the field; EnvironmentError when the file cannot be read
 */
export function readDeviceRecord(path: string): DeviceRecord {
  const record = readJsonAs(path, recordSchema);
  const { executionClass } = classify(record.evidence);
  if (executionClass !== record.executionClass) {
    throw new DataError(
      `${path}: says executionClass ${record.executionClass}, but its evidence supports ${executionClass} only`,
    );
  }
  return record;
}

/** Name, SHA-256 and size of a file. @throws EnvironmentError when it cannot be read */
export async function fileRecord(path: string, version: string | null = null): Promise<FileRecord> {
  const sha256 = await fileSha256(path);
  return { name: basename(path), sha256, bytes: statSync(path).size, version };
}
