import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { type AblationOptions, ABLATION_DEFAULTS as d } from '../../experiments/studies/ladder/options.js';
import type { Trace } from '../../src/decode/trace/trace.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { project } from '../../src/util/project-root.js';
import { gitCommit } from '../git-commit.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';
import { progressBar } from '../progress.js';
import { resultsDirectory } from '../results-directory.js';

interface AblateOptions extends AblationOptions {
  readonly out?: string;
  readonly policies?: string;
  readonly engine: 'tfjs' | 'ort' | 'both';
  readonly jobs: number;
  readonly results?: string;
}

/** Where `ablate` writes and `report` reads when nothing is said. */
export function latestAblation(): string {
  return join(project().root, 'results', 'ablation', 'latest');
}

export function registerAblate(program: Command, context: () => Context): void {
  program
    .command('ablate')
    .description(
      'the ladder: one technique more per row; latency, forwards, utilization, accuracy, token-exactness',
    )
    .option('--prompts <n>', 'held-out prompts', integer(1), d.prompts)
    .option('--first-index <n>', 'index of the first prompt', integer(0), d.firstIndex)
    .option('--seed <n>', 'seed of the prompts and intervals', integer(0), d.seed)
    .option('--model <name>', 'model that decides', d.model)
    .option('--cost-model <name>', 'model whose shapes are timed', d.costModel)
    .addOption(
      new Option('--quant <format>', 'weight format that is timed')
        .choices(['f32', 'f16', 'q8_0', 'q4_0'])
        .default(d.quant),
    )
    .option('--profile <name>', 'hardware profile', d.profile)
    .option('--gen-length <n>', 'tokens per answer', integer(1), d.genLength)
    .option('--block-length <n>', 'tokens per block', integer(1), d.blockLength)
    .option('--verify-prompts <n>', 'prompts recomputed without cache or window', integer(0), d.verifyPrompts)
    .option('--verify-every <n>', 'of those, every n-th step', integer(1), d.verifyEvery)
    .option('--policies <names>', 'instead of the ladder: run and verify these policies, or `all`')
    .addOption(
      new Option('--engine <name>', 'with --policies: engines that run them')
        .choices(['tfjs', 'ort', 'both'])
        .default('both'),
    )
    .option('--jobs <n>', 'worker threads; 0 = none. Results do not depend on it', integer(0, 256), 2)
    .option(
      '--results <dir>',
      'where runs are kept, in runs/: what is there is not made again (default: ./results)',
    )
    .option(
      '--out <dir>',
      'where summary.json, figures and report.html go (default: results/ablation/latest)',
    )
    .addHelpText(
      'after',
      '\nDecisions come from the shipped model; costs are those of the cost model on the profile. Nothing is measured on a device.' +
        '\n\nExamples:\n  $ dllm-npu ablate\n  $ dllm-npu ablate --prompts 50 --out /tmp/ladder\n  $ dllm-npu ablate --policies all --prompts 2 --verify-every 16\n  $ dllm-npu ablate --json | jq .rows[].latency_s.median',
    )
    .action(async ({ out, policies, engine, jobs, results, ...options }: AblateOptions) => {
      const ctx = context();
      if (policies !== undefined) {
        const { ablatePolicies } = await import('../ablate-policies.js');
        return ablatePolicies(ctx, { ...options, policies, engine, out });
      }
      const { ResultStore } = await import('../../experiments/lab/store.js');
      const { runAblation } = await import('../../experiments/studies/ladder/run.js');
      const { printLadder } = await import('../../experiments/studies/ladder/print.js');
      const { writeSummary } = await import('../../experiments/studies/ladder/summary-file.js');
      const { slug, writeReport } = await import('../../experiments/report/write-report.js');
      const { writeTrace } = await import('../../src/decode/trace/trace.js');
      const directory = out ?? latestAblation();
      checkWritableDirectory(directory);
      const store = new ResultStore(resultsDirectory(results));
      checkWritableDirectory(store.directory);
      const traces: { readonly row: string; readonly trace: Trace }[] = [];
      const bar = progressBar(ctx, 'runs', { log: true });
      const summary = await runAblation(options, {
        store,
        jobs,
        onProgress: (done, total) => bar.update(done, total),
        onTrace: (row, trace) => traces.push({ row, trace }),
        signal: ctx.signal,
        gitCommit: gitCommit(),
      }).finally(() => bar.stop());
      ctx.signal.throwIfAborted();
      writeSummary(join(directory, 'summary.json'), summary);
      for (const { row, trace } of traces) writeTrace(join(directory, 'traces', `${slug(row)}.jsonl`), trace);
      ctx.data(summary);
      ctx.print(printLadder(summary, ctx.color));
      await writeReport(directory, summary);
      ctx.note(
        `\nwritten to ${directory}: report.html (open it in a browser), summary.json, figures, traces of the first prompt; runs in ${store.directory}`,
      );
    });
}
