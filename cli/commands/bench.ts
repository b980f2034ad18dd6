import { z } from 'zod';
import { timePass } from '../../src/engine/pass-times.js';
import { ENGINE_NAMES, type EngineName } from '../../src/engine/registry.js';
import { UsageError } from '../../src/errors.js';
import { loadModel } from '../../src/model/load.js';
import { BENCH_FORMATS, type BenchRow, benchText, operatorText } from '../bench-text.js';
import { defineCommand } from '../command.js';
import { engine, engineEffects, flag, logitsRows } from '../groups.js';
import type { Context } from '../io.js';
import { MAX_POSITIONS, MAX_ROWS } from '../limits.js';
import { openEngine } from '../open-engine.js';
import { progressBar } from '../progress.js';

const options = {
  model: z
    .array(z.string().min(1))
    .min(1)
    .default(['tiny-llada'])
    .describe('shipped models, directories or .gguf files'),
  ...engine,
  engine: z.array(z.enum(ENGINE_NAMES)).min(1).default(['ggml']).describe('engines, each on every model'),
  rows: z.array(z.int().min(1).max(MAX_ROWS)).min(1).default([1, 32, 128]).describe('rows of a pass'),
  context: z
    .array(z.int().min(0).max(MAX_POSITIONS))
    .min(1)
    .default([0])
    .describe('positions in the cache before the pass'),
  logitsRows,
  repetitions: z
    .int()
    .min(1)
    .max(10_000)
    .default(5)
    .describe('times each pass is measured')
    .meta({ short: 'r' }),
  operators: flag('time the operators of a pass one by one, too: ggml on the CPU'),
  format: z.enum(BENCH_FORMATS).default('markdown').describe('of the table'),
};

type Asked = z.output<z.ZodObject<typeof options>>;

export const command = defineCommand({
  options,
  effects: engineEffects((input: { readonly engine: readonly EngineName[] }) => input.engine),
  notes:
    'One forward pass: K and V of its rows, logits of those asked for. Wall-clock time on this machine; a first pass is not' +
    '\ncounted. GFLOP/s are those of matrix products. On a busy machine only ratios of one run mean something.',
  examples: [
    'bench --model llada-8b-q4_0.gguf --rows 1,8,32,128 --context 0,512',
    'bench --model a.gguf,b.gguf --engine ggml,ort --rows 32 -r 9 --threads 2 --format csv',
    'bench --model llada-8b-q4_0.gguf --rows 32 --logits-rows 1 --json',
    'bench --model llada-8b-q4_0.gguf --rows 32 --threads 1 --operators',
  ],
  async run(ctx, asked) {
    const rows: BenchRow[] = [];
    const bar = progressBar(ctx, 'passes', { log: true });
    const total = asked.model.length * asked.engine.length * asked.rows.length * asked.context.length;
    try {
      for (const model of asked.model) {
        for (const name of asked.engine) {
          for await (const row of measured(ctx, asked, model, name)) {
            rows.push(row);
            bar.update(rows.length, total);
          }
        }
      }
    } finally {
      bar.stop();
    }
    ctx.data({ rows });
    ctx.print(benchText(rows, asked.format));
    if (asked.operators) ctx.print(operatorText(rows));
  },
});

async function* measured(
  ctx: Context,
  asked: Asked,
  model: string,
  name: EngineName,
): AsyncGenerator<BenchRow> {
  const loaded = await loadModel(model);
  try {
    const longest = Math.max(...asked.rows) + Math.max(...asked.context);
    const { contextLength } = loaded.config;
    if (longest > contextLength)
      throw new UsageError(`${model} has a context of ${contextLength}: ${longest} positions were asked for`);
    const opened = await openEngine(ctx, loaded, { ...asked, engine: name });
    try {
      for (const context of asked.context) {
        for (const rows of asked.rows) {
          const shape = { rows, context, logitsRows: Math.min(rows, asked.logitsRows ?? rows) };
          const times = await timePass(opened, shape, asked.repetitions, {
            ...{ signal: ctx.signal, operators: asked.operators },
          });
          const { meanMs: ms, deviationMs: sd, tokensPerS, gflops, threads, operators } = times;
          yield {
            model,
            engine: name,
            ...placeOf(name, asked, threads),
            ...shape,
            ms,
            sd,
            tokensPerS,
            gflops,
            operators,
          };
        }
      }
    } finally {
      opened.dispose();
    }
  } finally {
    await loaded.weights.close();
  }
}

/** Where an engine runs, and on how many threads. @param chosen by the engine itself, for the last pass */
function placeOf(
  name: EngineName,
  { device, threads }: Asked,
  chosen: number | undefined,
): Pick<BenchRow, 'device' | 'threads'> {
  const used = chosen ?? (name === 'ort' ? (threads ?? 1) : 1);
  return { device: name === 'ggml' ? (device ?? 'cpu') : 'cpu', threads: used };
}
