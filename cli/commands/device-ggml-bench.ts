import type { Command } from 'commander';
import { formatTable, right } from '../../src/util/table.js';
import {
  addGgmlOptions,
  GGML_HELP,
  type GgmlOptions,
  ggmlData,
  reportGgml,
  runTool,
} from '../ggml-options.js';
import type { Context } from '../io.js';
import { integer, integerList } from '../numbers.js';

interface BenchOptions extends GgmlOptions {
  readonly rows: number[];
  readonly depth: number;
  readonly repetitions: number;
}

export function registerDeviceGgmlBench(ggml: Command, context: () => Context): void {
  const command = ggml
    .command('bench')
    .description('time of one forward pass per number of rows, with llama-bench')
    .option('--rows <list>', 'rows of a pass', integerList(1), [32, 64, 128])
    .option('--depth <n>', 'tokens already cached', integer(0), 0)
    .option('--repetitions <n>', 'times each is measured', integer(1), 5);
  addGgmlOptions(command)
    .addHelpText(
      'after',
      `${GGML_HELP}\n\nExamples:` +
        '\n  $ dllm-npu device ggml bench --package pkg-snapdragon/llama.cpp --model llada-8b-q4_0.gguf --rows 32,64,96,128' +
        '\n  $ dllm-npu device ggml bench --serial R5CX --package pkg --model m.gguf --profile 3 --log trace.log',
    )
    .action((options: BenchOptions) => bench(context(), options));
}

async function bench(ctx: Context, options: BenchOptions): Promise<void> {
  const { benchArgs, parseBench } = await import('../../hw/ggml/bench.js');
  const { rows, depth, repetitions, threads, device } = options;
  const args = (model: string) => benchArgs({ model, rows, depth, repetitions, threads }, device);
  const result = await runTool(ctx, options, 'llama-bench', args);
  const measured = parseBench(result.stdout);
  ctx.data({ bench: measured, ...ggmlData(result) });
  ctx.print(`${measured.modelType}, ${measured.backends}, build ${measured.build}`);
  ctx.print(
    formatTable(
      [right('rows'), right('cached'), right('one pass', 'ms'), right('deviation', 'ms')],
      measured.rows.map((row) => [
        String(row.rows),
        String(row.depth),
        row.meanMs.toFixed(2),
        row.deviationMs.toFixed(2),
      ]),
    ),
  );
  await reportGgml(ctx, options, result);
}
