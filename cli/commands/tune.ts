import { join } from 'node:path';
import type { Command } from 'commander';
import { BENCH_DEFAULTS } from '../../experiments/comparison/defaults.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { project } from '../../src/util/project-root.js';
import { gitCommit } from '../git-commit.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';
import { resultsDirectory } from '../results-directory.js';

interface TuneCliOptions {
  readonly workload: string;
  readonly profile: string;
  readonly baseline: string;
  readonly candidates: number;
  readonly screen: number;
  readonly confirm: number;
  readonly finalists: number;
  readonly seed: number;
  readonly jobs: number;
  readonly out?: string;
  readonly results?: string;
}

export function registerTune(program: Command, context: () => Context): void {
  program
    .command('tune')
    .description('search policy options: the front of latency, quality and energy at non-inferior quality')
    .option('--workload <model>', 'model that decides and is scored', 'tiny-llada')
    .option('--profile <name>', 'hardware profile', BENCH_DEFAULTS.profile)
    .option('--baseline <policy>', 'quality must be non-inferior to it', 'block-kv')
    .option('--candidates <n>', 'policies drawn from the space', integer(0), 40)
    .option('--screen <n>', 'problems on which all are tried', integer(1), 48)
    .option('--confirm <n>', 'further problems on which the shortlist is judged', integer(1), 1600)
    .option('--finalists <n>', 'policies on the shortlist beside baseline and full system', integer(0), 4)
    .option('--seed <n>', 'seed of problems and draw', integer(0), BENCH_DEFAULTS.seed)
    .option('--jobs <n>', 'worker threads; 0 = none. Results do not depend on it', integer(0, 256), 2)
    .option(
      '--results <dir>',
      'where runs are kept, in runs/: what is there is not made again (default: ./results)',
    )
    .option('--out <dir>', 'where tune.json, tune.csv and the figure go (default: results/tune)')
    .addHelpText(
      'after',
      '\nTwo stages: many policies on few problems, then the fastest plausible ones on others. Every decode is kept in' +
        '\nresults/runs at once: run the same command again after an interruption and it goes on.' +
        '\n\nExamples:\n  $ dllm-npu tune\n  $ dllm-npu tune --candidates 8 --screen 8 --confirm 32   # a few minutes, claims nothing',
    )
    .action(async ({ out, jobs, results, ...options }: TuneCliOptions) => {
      const ctx = context();
      const directory = out ?? join(project().root, 'results', 'tune');
      checkWritableDirectory(directory);
      const { ResultStore } = await import('../../experiments/lab/store.js');
      const { tune } = await import('../../experiments/studies/tune/run.js');
      const { printTune, tuneCsv, tuneFigure } = await import('../../experiments/studies/tune/print.js');
      const { writeFigure } = await import('../../experiments/figures/render.js');
      const store = new ResultStore(resultsDirectory(results));
      checkWritableDirectory(store.directory);
      let said = 0;
      const result = await tune(
        { ...options, genLength: BENCH_DEFAULTS.genLength },
        {
          store,
          jobs,
          signal: ctx.signal,
          gitCommit: gitCommit(),
          onProgress: (stage, done, total) => {
            if (Date.now() - said < 5000 && done < total) return;
            said = Date.now();
            ctx.note(`${stage}: ${done} of ${total} decodes`);
          },
        },
      );
      atomicWriteFile(join(directory, 'tune.json'), `${JSON.stringify(result, null, 1)}\n`);
      atomicWriteFile(join(directory, 'tune.csv'), tuneCsv(result));
      await writeFigure(join(directory, 'figure'), tuneFigure(result));
      ctx.print(printTune(result, ctx.color));
      ctx.note(
        `written to ${directory}: tune.json, tune.csv, figure.svg, figure.png; runs in ${store.directory}`,
      );
      ctx.data(result);
    });
}
