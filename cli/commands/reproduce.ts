import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { BENCH_DEFAULTS as d } from '../../experiments/comparison/defaults.js';
import type { ReproduceResult } from '../../experiments/comparison/result.js';
import { ALL, STUDIES, STUDY_NAMES, studiesNamed } from '../../experiments/studies/registry.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { project } from '../../src/util/project-root.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';

interface ReproduceOptions {
  readonly workload?: string;
  readonly costModel: string;
  readonly quant: 'f32' | 'f16' | 'q8_0' | 'q4_0';
  readonly profile: string;
  readonly prompts?: number;
  readonly seed: number;
  readonly genLength: number;
  readonly out?: string;
}

export function registerReproduce(program: Command, context: () => Context): void {
  program
    .command('reproduce')
    .description('a table or figure of the paper: ours, the published number, the error and what it proves')
    .argument('<name>', `${STUDY_NAMES.join(', ')}, or ${ALL}`)
    .option(
      '--workload <name>',
      'who decides: a model (tiny-llada), trace:FILE, synthetic, synthetic:PROFILE (default: each study its own)',
    )
    .option(
      '--prompts <n>',
      'cases of studies that decode (default: 5 of a model, 24 of a process)',
      integer(1),
    )
    .option('--seed <n>', 'seed of the prompts or of the process', integer(0), d.seed)
    .option('--cost-model <name>', 'model whose shapes are timed', d.costModel)
    .addOption(
      new Option('--quant <format>', 'weight format that is timed')
        .choices(['f32', 'f16', 'q8_0', 'q4_0'])
        .default(d.quant),
    )
    .option('--profile <name>', 'hardware profile', d.profile)
    .option('--gen-length <n>', 'tokens per answer', integer(1), d.genLength)
    .option('--out <dir>', 'where result.json, rows.csv and the figure go (default: results/reproduce/NAME)')
    .addHelpText(
      'after',
      '\nKinds: calibrated proves nothing, predicted must come out, ordering promises an order and no value. A row that' +
        '\nmisses its band is marked and explained; nothing is tuned. A missed band is a finding, not a failure: exit 0.' +
        '\n\nExamples:\n  $ dllm-npu reproduce table2\n  $ dllm-npu reproduce fig5b --workload tiny-llada --prompts 20\n  $ dllm-npu reproduce all --json    # also writes table.md',
    )
    .action(async (name: string, { out, workload, prompts, ...options }: ReproduceOptions) => {
      const ctx = context();
      const names = studiesNamed(name);
      const { Bench } = await import('../../experiments/comparison/bench.js');
      const { runStudy, writeOutcome } = await import('../../experiments/comparison/run.js');
      const { printOverview, printResult } = await import('../../experiments/comparison/print.js');
      const { resultsMarkdown } = await import('../../experiments/comparison/markdown.js');
      const parent = join(project().root, 'results', 'reproduce');
      const directoryOf = (each: string) =>
        name === ALL ? join(out ?? parent, each) : (out ?? join(parent, each));
      for (const each of names) checkWritableDirectory(directoryOf(each));
      const bench = new Bench(
        { ...options, workload: workload ?? null, prompts: prompts ?? null },
        { signal: ctx.signal },
      );
      const results: ReproduceResult[] = [];
      try {
        for (const each of names) {
          ctx.signal.throwIfAborted();
          if (names.length > 1) ctx.note(`${each} (${results.length + 1} of ${names.length})`);
          const outcome = await runStudy(await STUDIES[each](), bench);
          const directory = directoryOf(each);
          await writeOutcome(directory, outcome);
          const { result } = outcome;
          ctx.print(`${printResult(result, ctx.color)}\n`);
          ctx.note(`written to ${directory}: result.json, rows.csv, figure.svg, figure.png, figure.vl.json`);
          results.push(result);
        }
      } finally {
        bench.close();
      }
      if (results.length > 1) {
        ctx.print(printOverview(results, ctx.color));
        const table = join(out ?? parent, 'table.md');
        atomicWriteFile(table, `${resultsMarkdown(results)}\n`);
        ctx.note(`every row with a published number: ${table}`);
      }
      const data = results.map((result) => ({
        name: result.name,
        rows: result.rows,
        assumed: result.assumed,
        decisions: result.decisions,
        notes: result.notes,
      }));
      ctx.data(name === ALL ? { name, experiments: data } : data[0]);
    });
}
