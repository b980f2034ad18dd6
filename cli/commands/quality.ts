import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { createColors } from 'picocolors';
import { QUALITY_DEFAULTS as d } from '../../experiments/studies/quality/options.js';
import type { QualityTable } from '../../experiments/studies/quality/table.js';
import type { EngineName } from '../../src/engine/registry.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { project } from '../../src/util/project-root.js';
import { type Column, formatTable } from '../../src/util/table.js';
import { gitCommit } from '../git-commit.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';
import { progressBar } from '../progress.js';
import { resultsDirectory } from '../results-directory.js';

interface QualityCommandOptions {
  readonly model: string;
  readonly engine: EngineName;
  readonly n: number;
  readonly firstIndex: number;
  readonly seed: number;
  readonly genLength: number;
  readonly blockLength?: number;
  readonly policies?: string;
  readonly baseline: string;
  readonly jobs: number;
  readonly out?: string;
  readonly results?: string;
}

export function registerQuality(program: Command, context: () => Context): void {
  program
    .command('quality')
    .description(
      'exact answers of every policy on the same held-out problems, with intervals and paired tests',
    )
    .option('--n <problems>', 'held-out problems', integer(1), d.n)
    .option('--first-index <n>', 'index of the first problem', integer(0), d.firstIndex)
    .option('--seed <n>', 'seed of the problems', integer(0), d.seed)
    .option('--model <name>', 'shipped model, directory or .gguf file', d.model)
    .addOption(
      new Option(
        '--engine <name>',
        "tfjs: the f32 reference; ort: ONNX Runtime, faster; npu-numerics: the NPU's arithmetic",
      )
        .choices(['tfjs', 'ort', 'npu-numerics'])
        .default(d.engine),
    )
    .option('--gen-length <n>', 'tokens per answer', integer(1), d.genLength)
    .option('--block-length <n>', "tokens per block (default: every policy's own)", integer(1))
    .option('--policies <names>', 'comma-separated (default: all)')
    .option('--baseline <name>', 'policy the others are paired with', d.baseline)
    .option('--jobs <n>', 'worker threads; 0 = none. Results do not depend on it', integer(0, 256), 2)
    .option(
      '--results <dir>',
      'where runs are kept, in runs/: what is there is not made again (default: ./results)',
    )
    .option('--out <file>', 'where the table goes (default: results/quality/latest.json)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dllm-npu quality --n 1600\n  $ dllm-npu quality --n 200 --policies block-kv,mbsd,llada.cpp --json',
    )
    .action((options: QualityCommandOptions) => run(context(), options));
}

async function run(
  ctx: Context,
  { policies, blockLength, out, jobs, results, ...options }: QualityCommandOptions,
): Promise<void> {
  const { ResultStore } = await import('../../experiments/lab/store.js');
  const { runQuality } = await import('../../experiments/studies/quality/run.js');
  const { POLICY_NAMES } = await import('../../src/decode/policies.js');
  const { atomicWriteFile } = await import('../../src/util/atomic-write.js');
  const path = out ?? join(project().root, 'results', 'quality', 'latest.json');
  const store = new ResultStore(resultsDirectory(results));
  checkWritableDirectory(store.directory);
  const bar = progressBar(ctx, 'runs');
  const table = await runQuality(
    {
      ...options,
      blockLength: blockLength ?? null,
      policies: policies === undefined ? POLICY_NAMES : policies.split(',').map((name) => name.trim()),
    },
    {
      onProgress: (done, total) => bar.update(done, total),
      signal: ctx.signal,
      gitCommit: gitCommit(),
      store,
      jobs,
    },
  ).finally(() => bar.stop());
  ctx.signal.throwIfAborted();
  atomicWriteFile(path, `${JSON.stringify(table, null, 1)}\n`);
  ctx.data(table);
  ctx.print(printTable(table, ctx.color));
  ctx.note(`\nwritten to ${path}; runs in ${store.directory}`);
}

function printTable(table: QualityTable, color: boolean): string {
  const percent = (share: number): string => (100 * share).toFixed(1);
  const rows = table.rows.map(({ policy, exact, taskAccuracy, forwards, rows, tokensPerForward, paired }) => [
    policy,
    percent(exact.successes / exact.n),
    `${percent(exact.low)}-${percent(exact.high)}`,
    percent(taskAccuracy),
    forwards.toFixed(1),
    rows.toFixed(0),
    tokensPerForward.toFixed(2),
    paired === null ? '' : `+${paired.onlyPolicyRight} -${paired.onlyBaselineRight}`,
    paired === null ? 'baseline' : paired.pHolm < 0.001 ? '<0.001' : paired.pHolm.toFixed(3),
    paired === null ? '' : percent(paired.sameText / exact.n),
  ]);
  const head = [
    'policy',
    'exact %',
    '95 %',
    'tasks %',
    'forwards',
    'rows',
    'tok/fwd',
    'pairs',
    'p',
    'same text %',
  ];
  const columns = head.map(
    (title): Column => ({ header: [title], align: title === 'policy' ? 'left' : 'right' }),
  );
  const c = createColors(color);
  return [formatTable(columns, rows), '', ...table.notes.map((note) => c.dim(note))].join('\n');
}
