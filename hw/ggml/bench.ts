import { z } from 'zod';
import { DataError } from '../../src/errors.js';
import { plainJson } from '../../src/util/plain-json.js';
import { parseAs } from '../../src/util/read-file.js';
import { toolOptions } from '../tool-options.js';
import { deviceArgs } from './diffusion-cli.js';

const optionsSchema = z.strictObject({
  model: z.string().min(1),
  /** Rows of the batches to time; each is one forward pass, as a denoising step is. */
  rows: z.array(z.int().min(1)).min(1),
  /** Tokens already in the cache. */
  depth: z.int().min(0).default(0),
  repetitions: z.int().min(1).default(5),
  threads: z.int().min(1).optional(),
});

export type LlamaBenchOptions = z.input<typeof optionsSchema>;

/** Arguments of llama-bench: prompt processing only, answer as JSON. @throws UsageError naming the option */
export function benchArgs(options: LlamaBenchOptions, device: string): string[] {
  const { model, rows, depth, repetitions, threads } = toolOptions('llama-bench', optionsSchema, options);
  const largest = String(Math.max(...rows));
  return [
    '-m',
    model,
    '-p',
    rows.join(','),
    '-n',
    '0',
    '-b',
    largest,
    '-ub',
    largest,
    ...(depth === 0 ? [] : ['-d', String(depth)]),
    '-r',
    String(repetitions),
    ...(threads === undefined ? [] : ['-t', String(threads)]),
    ...(device === 'none' ? ['-ngl', '0'] : deviceArgs(device)),
    '-o',
    'json',
    '-v',
  ];
}

/** Fields of llama-bench's JSON that are used; it has many more, and their number grows. */
const rowSchema = z.object({
  build_commit: z.string(),
  build_number: z.number(),
  model_type: z.string(),
  model_size: z.number(),
  backends: z.string(),
  n_prompt: z.int(),
  n_gen: z.int(),
  n_depth: z.int().optional(),
  avg_ns: z.number(),
  stddev_ns: z.number(),
  samples_ns: z.array(z.number()),
});

export interface LlamaBenchRow {
  readonly rows: number;
  readonly depth: number;
  readonly meanMs: number;
  readonly deviationMs: number;
  readonly samplesMs: readonly number[];
}

/** Answer of llama-bench. */
export interface LlamaBench {
  /** Commit and number of the build. */
  readonly build: string;
  readonly modelType: string;
  readonly modelBytes: number;
  readonly backends: string;
  readonly rows: readonly LlamaBenchRow[];
}

/** @throws DataError when the output is not llama-bench's JSON */
export function parseBench(stdout: string): LlamaBench {
  // Notices of the backend may stand before the list.
  const start = stdout.search(/^\[\s*$/m);
  let json: unknown;
  try {
    json = plainJson(stdout.slice(Math.max(start, 0)));
  } catch {
    throw new DataError('llama-bench printed no JSON: it did not finish, or it does not know -o json');
  }
  const rows = parseAs(json, z.array(rowSchema).min(1), 'llama-bench');
  const [first] = rows;
  return {
    build: `${first.build_commit} (${first.build_number})`,
    modelType: first.model_type,
    modelBytes: first.model_size,
    backends: first.backends,
    rows: rows.map((row) => ({
      rows: row.n_prompt,
      depth: row.n_depth ?? 0,
      meanMs: row.avg_ns / 1e6,
      deviationMs: row.stddev_ns / 1e6,
      samplesMs: row.samples_ns.map((ns) => ns / 1e6),
    })),
  };
}
