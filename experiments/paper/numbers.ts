import { join } from 'node:path';
import { z } from 'zod';
import { project } from '../../src/util/project-root.js';
import { readJsonAs } from '../../src/util/read-file.js';
import { valueAt } from '../comparison/columns.js';
import { type Conditions, conditionsSchema } from './conditions.js';

const numbers = z.array(z.number()).min(1);
const texts = z.array(z.string()).min(1);

/** One table or figure of the paper: named columns of equal length, units in their names. */
function table<C extends z.core.$ZodShape>(columns: C) {
  return z.strictObject({
    /** As the paper numbers it, e.g. `Figure 5b`. */
    where: z.string().min(1),
    /** Read off a plot (1-2 % of the axis), not printed as a number. */
    digitised: z.boolean(),
    note: z.string().optional(),
    /** Where they are narrower than those of all numbers. */
    conditions: conditionsSchema.partial().optional(),
    columns: z
      .strictObject(columns)
      .refine(
        (all) =>
          new Set(Object.values(all).map((column) => (column as readonly unknown[]).length)).size === 1,
        'columns differ in length',
      ),
  });
}

export const paperSchema = z.strictObject({
  schema: z.literal('dllm-npu/paper-numbers@1'),
  source: z.string().min(1),
  setting: z.string().min(1),
  /** Under which everything was measured, unless a table says more. */
  conditions: conditionsSchema,
  tables: z.strictObject({
    table2: table({ tokens: numbers, cpu_ms: numbers, npu_ms: numbers }),
    table6: table({ row: texts, seconds: numbers }),
    // The figure shows no point of the CPU at 4 tokens.
    fig3a: table({ tokens: numbers, npu_ms: numbers, cpu_ms: z.array(z.number().nullable()).min(1) }),
    fig3b: table({ group: numbers, npu_ms: numbers, cpu_ms: numbers }),
    fig5a: table({ masks: numbers, share_pct: numbers }),
    fig5b: table({ threshold: numbers, tokens_per_step: numbers, below_pct: numbers }),
    fig5c: table({ case: numbers, skippable_pct: numbers }),
    fig5d: table({ layer: numbers, op_ms: numbers }),
    fig8: table({ position: numbers, first_commit_step: numbers }),
    fig13a: table({ trigger: numbers, seconds: numbers }),
    fig13b: table({ visible: numbers, stable: numbers, below_stable: numbers }),
    fig11: table({ config: texts, tokens: numbers, seconds: numbers }),
    fig13c: table({ resident_mb: numbers, staging_ms: numbers }),
  }),
});

export type PaperNumbers = z.infer<typeof paperSchema>;
export type PaperTables = PaperNumbers['tables'];
export type PaperTableName = keyof PaperTables;

let loaded: PaperNumbers | undefined;

/** The published figures that the experiments are compared with. Nothing in the project is fitted to them. */
export function paperNumbers(): PaperNumbers {
  loaded ??= readJsonAs(join(project().root, 'experiments', 'paper', 'numbers.json'), paperSchema);
  return loaded;
}

export function paperTable<N extends PaperTableName>(name: N): PaperTables[N] {
  return paperNumbers().tables[name];
}

/** What a table was measured under. */
export function conditionsOf(name: PaperTableName): Conditions {
  const { conditions, tables } = paperNumbers();
  return { ...conditions, ...tables[name].conditions };
}

/** Seconds of one answer in a row of Table 6, named as there. */
export function table6Seconds(row: string): number {
  const { columns } = paperTable('table6');
  return valueAt(columns.row, columns.seconds, row);
}
