import { join } from 'node:path';
import { z } from 'zod';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { formatCsv } from '../../src/util/csv.js';
import { parseAs, readJsonAs } from '../../src/util/read-file.js';
import { conditionsSchema } from '../paper/conditions.js';
import { provenanceEntrySchema } from '../studies/ladder/types.js';

/** The result of one reproduction, as it is written to `result.json`; the same rows are in `rows.csv`. */
export const REPRODUCE_SCHEMA = 'dllm-npu/reproduce@2';

const finite = z.number().refine(Number.isFinite, 'must be finite');
const columns = z.record(z.string(), z.array(z.union([finite, z.string(), z.null()])));

export const reproducedRowSchema = z.strictObject({
  name: z.string().min(1),
  ours: finite.nullable(),
  paper: finite.nullable(),
  /** (ours - paper) / paper; null for an ordering, where the value itself is not predicted. */
  error: finite.nullable(),
  kind: z.enum(['calibrated', 'predicted', 'ordering']),
  unit: z.string(),
  /** 95 % interval of `ours` over the cases; null where nothing was decoded, and in older files. */
  low: finite.nullable().default(null),
  high: finite.nullable().default(null),
  /** 80 % interval of `ours` over what is not known of the machine; null where none was made, and in older files. */
  machineLow: finite.nullable().default(null),
  machineHigh: finite.nullable().default(null),
  /** Claim whose band the row is held against; null: no band. */
  claim: z.string().nullable(),
  band: z.string().nullable(),
  pass: z.boolean().nullable(),
  /** Why it missed. */
  reason: z.string().nullable(),
});

export const reproduceSchema = z.strictObject({
  schema: z.literal(REPRODUCE_SCHEMA),
  name: z.string().min(1),
  title: z.string(),
  command: z.string(),
  version: z.string(),
  paper: z.strictObject({ source: z.string(), where: z.string(), digitised: z.boolean() }).nullable(),
  runs: z.string(),
  /** Who made the decisions that were timed or counted. */
  decisions: z.string(),
  costs: z.strictObject({
    model: z.string(),
    quant: z.string(),
    profile: z.string(),
    profileSha256: z.string(),
  }),
  rows: z.array(reproducedRowSchema),
  /** The study's own table, where it has one. */
  table: z.array(z.record(z.string(), z.union([finite, z.string(), z.boolean(), z.null()]))).optional(),
  measured: columns,
  derived: columns,
  /** What each derived column is. */
  formulas: z.record(z.string(), z.string()),
  /** Empty where it was measured under other conditions than the run. */
  published: columns,
  /** What was published was measured under, what ran, and in what they differ. Absent in older files. */
  conditions: z
    .strictObject({
      published: conditionsSchema,
      run: z.strictObject({
        costModel: z.string(),
        quant: z.string(),
        soc: z.string(),
        dataset: z.string().nullable(),
        genLength: z.number(),
      }),
      differs: z.array(
        z.strictObject({ condition: conditionsSchema.keyof(), published: z.string(), run: z.string() }),
      ),
    })
    .optional(),
  /** Numbers of the hardware and the software stacks that are fitted or assumed. */
  assumed: z.array(provenanceEntrySchema),
  notes: z.array(z.string()),
});

export type ReproducedRow = z.infer<typeof reproducedRowSchema>;
export type ReproduceResult = z.infer<typeof reproduceSchema>;

/** @throws EnvironmentError when it cannot be read; DataError when it is not a result */
export function readResult(path: string): ReproduceResult {
  return readJsonAs(path, reproduceSchema);
}

const CSV_COLUMNS = ['name', 'ours', 'paper', 'error', 'kind', 'unit', 'claim', 'band', 'pass'] as const;
const CSV_INTERVALS = ['low', 'high', 'machineLow', 'machineHigh'] as const;
const INTERVAL_HEADS = ['low', 'high', 'machine_low', 'machine_high'];

/** The table of a result, else its comparison, as CSV, numbers in full. */
export function rowsCsv({ rows, table }: Pick<ReproduceResult, 'rows' | 'table'>): string {
  if (table === undefined)
    return formatCsv([
      [...CSV_COLUMNS, ...INTERVAL_HEADS],
      ...rows.map((row) => [...CSV_COLUMNS, ...CSV_INTERVALS].map((key) => row[key])),
    ]);
  const columns = Object.keys(table[0] ?? {});
  return formatCsv([columns, ...table.map((row) => columns.map((column) => row[column]))]);
}

/** Writes `result.json` and `rows.csv`, each atomically. Returns the paths. */
export function writeResult(directory: string, result: ReproduceResult): string[] {
  const files: [string, string][] = [
    ['result.json', `${JSON.stringify(parseAs(result, reproduceSchema, result.name), null, 1)}\n`],
    ['rows.csv', rowsCsv(result)],
  ];
  return files.map(([name, content]) => {
    const path = join(directory, name);
    atomicWriteFile(path, content);
    return path;
  });
}
