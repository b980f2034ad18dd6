import { z } from 'zod';
import { DataError } from '../../src/errors.js';
import { parseCsv } from '../../src/util/csv.js';

const rowSchema = z.object({
  id: z.string().min(1),
  device: z.string(),
  soc: z.string(),
  npu_arch: z.string(),
  model: z.string(),
  params_b: z.string(),
  quant: z.string(),
  engine: z.string(),
  phase: z.string(),
  batch_or_tokens: z.string(),
  context: z.string(),
  metric: z.string(),
  value: z.string().transform((text, context) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value) && value > 0) return value;
    context.addIssue({ code: 'custom', message: `"${text}" is not a positive number` });
    return z.NEVER;
  }),
  unit: z.string(),
  source: z.string(),
  /** Id of the row that this one is a part of, in files that have the column. */
  part_of: z.string().optional(),
  /** How often the part happens in it; once where nothing is said. */
  times: z
    .string()
    .optional()
    .transform((text, context) => {
      if (text === undefined || text.trim() === '') return 1;
      const value = Number(text);
      if (Number.isFinite(value) && value > 0) return value;
      context.addIssue({ code: 'custom', message: `"${text}" is not a positive number` });
      return z.NEVER;
    }),
});

/** A published measurement, as its source words it. */
export type PublishedRow = Omit<z.infer<typeof rowSchema>, 'times'> & { readonly times?: number };

const OPTIONAL = new Set(['part_of', 'times']);
const COLUMNS = Object.keys(rowSchema.shape).filter((column) => !OPTIONAL.has(column));

/** A row that says how long a part of another one takes: no work of its own. */
export function isPart({ phase }: PublishedRow): boolean {
  return phase.trim() === 'part';
}

/**
 * Reads published measurements: CSV with the columns of `sim/validation/published-open.csv`, in any order, and where a
 * source gives parts those of `sim/validation/published-parts.csv`.
 * @param origin shown in errors
 * @throws DataError naming the missing column, or the line and field that is wrong
 */
export function parsePublished(text: string, origin: string): PublishedRow[] {
  const [header, ...records] = recordsOf(text, origin);
  if (header === undefined) throw new DataError(`${origin}: the file is empty`);
  const missing = COLUMNS.filter((column) => !header.includes(column));
  if (missing.length > 0) throw new DataError(`${origin}: missing columns ${missing.join(', ')}`);
  const seen = new Set<string>();
  return records.map((record, at) => {
    const where = `${origin}, record ${at + 1}`;
    if (record.length !== header.length) {
      throw new DataError(`${where}: ${record.length} fields where the header has ${header.length}`);
    }
    const parsed = rowSchema.safeParse(
      Object.fromEntries(header.map((name, index) => [name, record[index]])),
    );
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new DataError(`${where}: ${issue?.path.join('.')}: ${issue?.message}`);
    }
    if (seen.has(parsed.data.id)) throw new DataError(`${where}: id ${parsed.data.id} appears twice`);
    seen.add(parsed.data.id);
    return parsed.data;
  });
}

function recordsOf(text: string, origin: string): string[][] {
  try {
    return parseCsv(text);
  } catch (error) {
    throw error instanceof DataError ? new DataError(`${origin}: ${error.message}`) : error;
  }
}
