import { join } from 'node:path';
import { z } from 'zod';
import { MEMORY_MODES } from '../../sim/memory/runtime.js';
import { project } from '../../src/util/project-root.js';
import { readJsonAs } from '../../src/util/read-file.js';
import { LADDER } from '../studies/ladder/ladder.js';

const text = z.string().min(1);

const endSchema = z.strictObject({
  /** As it stands beside the bar. */
  text,
  /** Options of the policy, by path. */
  policy: z.record(z.string(), z.json()).optional(),
  memory: z.enum(MEMORY_MODES).optional(),
  /** Length of the prompt; only a confidence process can be asked for one. */
  promptTokens: z.int().min(1).optional(),
  seed: z.int().min(0).optional(),
});

const barSchema = z.strictObject({
  name: text,
  /** What the default is called beside the two ends. */
  standard: text.optional(),
  /** Row of the ladder it is about. */
  row: z
    .string()
    .default('+ SCR')
    .refine((name) => LADDER.some((row) => row.name === name), 'is no row of the ladder'),
  low: endSchema,
  high: endSchema,
});

const itemSchema = z
  .strictObject({
    number: z.int().min(1),
    parameter: text,
    /** Where it is set; Markdown. */
    option: text,
    default: text,
    /** What the tornado moves it to; Markdown. */
    swept: text,
    bars: z.array(barSchema),
    /** Numbers of chip and stack that belong to it, with their own ranges. */
    machine: z.array(text),
    /** Why there is no bar. */
    noEffect: text.optional(),
  })
  .refine(
    ({ bars, machine, noEffect }) => (bars.length + machine.length === 0) === (noEffect !== undefined),
    {
      message: 'has bars or a reason for none',
    },
  );

const fileSchema = z.strictObject({
  schema: z.literal('dllm-npu/open-parameters@1'),
  source: text,
  items: z
    .array(itemSchema)
    .refine((items) => items.every(({ number }, i) => number === i + 1), 'are not numbered from 1'),
});

export type End = z.infer<typeof endSchema>;
export type Bar = z.infer<typeof barSchema>;
export type OpenItem = z.infer<typeof itemSchema>;

export function openParametersPath(): string {
  return join(project().root, 'experiments', 'open-parameters', 'items.json');
}

let loaded: readonly OpenItem[] | undefined;

/**
 * What arXiv:2606.13740 leaves open, item by item: the option, its default and the range it is swept over. The table
 * in docs/open-parameters.md and the tornado are made of it.
 * @throws DataError when the file is damaged
 */
export function openParameters(): readonly OpenItem[] {
  loaded ??= readJsonAs(openParametersPath(), fileSchema).items;
  return loaded;
}

/** The table of the documentation. */
export function openParametersTable(): string {
  return [
    '| # | parameter | option | default | swept by `reproduce tornado` |',
    '|---|---|---|---|---|',
    ...openParameters().map(
      ({ number, parameter, option, default: standard, swept, noEffect }) =>
        `| ${number} | ${parameter} | ${option} | ${standard} | ${noEffect === undefined ? swept : `${swept}: ${noEffect}`} |`,
    ),
  ].join('\n');
}
