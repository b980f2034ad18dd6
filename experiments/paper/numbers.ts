import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../src/errors.js';
import { unknownName } from '../../src/util/nearest.js';
import { project } from '../../src/util/project-root.js';
import { readText } from '../../src/util/read-file.js';

/** One table or figure of the paper: named columns of equal length, units in their names. */
const tableSchema = z
  .strictObject({
    /** As the paper numbers it, e.g. `Figure 5b`. */
    where: z.string().min(1),
    /** Read off a plot (1-2 % of the axis), not printed as a number. */
    digitised: z.boolean(),
    note: z.string().optional(),
    columns: z.record(z.string(), z.array(z.union([z.number(), z.string(), z.null()])).min(1)),
  })
  .refine(
    ({ columns }) => new Set(Object.values(columns).map((column) => column.length)).size === 1,
    'columns differ in length',
  );

const paperSchema = z.strictObject({
  schema: z.literal('dllm-npu/paper-numbers@1'),
  source: z.string().min(1),
  setting: z.string().min(1),
  tables: z.record(z.string(), tableSchema),
});

export type PaperTable = z.infer<typeof tableSchema>;
export type PaperNumbers = z.infer<typeof paperSchema>;

let loaded: PaperNumbers | undefined;

/** The published figures that the experiments are compared with. Nothing in the project is fitted to them. */
export function paperNumbers(): PaperNumbers {
  if (loaded === undefined) {
    const path = join(project().root, 'experiments', 'paper', 'numbers.json');
    loaded = parsePaperNumbers(readText(path), path);
  }
  return loaded;
}

/** @throws DataError naming the item that is wrong; `origin` says where the text came from */
export function parsePaperNumbers(text: string, origin: string): PaperNumbers {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${origin} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = paperSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DataError(`${origin}: ${issue?.path.join('.') || 'file'}: ${issue?.message ?? 'invalid'}`);
}

/** @throws UsageError with the nearest names */
export function paperTable(name: string): PaperTable {
  const { tables } = paperNumbers();
  const found = tables[name];
  if (found === undefined) throw unknownName('table or figure', name, Object.keys(tables));
  return found;
}
