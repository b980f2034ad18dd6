import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { BENCH_DEFAULTS } from '../../experiments/comparison/defaults.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { project } from '../../src/util/project-root.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';

interface TuneCliOptions {
  readonly workload: string;
  readonly profile: string;
  readonly baseline: string;
  readonly candidates: number;
  readonly screen: number;
  readonly confirm: number;
  readonly finalists: number;
  readonly seed: number;
  readonly out?: string;
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
    .option(
      '--out <dir>',
      'where tune.json, tune.csv, the figure and the checkpoint go (default: results/tune)',
    )
    .addHelpText(
      'after',
      '\nTwo stages: many policies on few problems, then the fastest plausible ones on others. Every decode is kept in' +
        '\nsamples.jsonl at once: run the same command again after an interruption and it goes on.' +
        '\n\nExamples:\n  $ dllm-npu tune\n  $ dllm-npu tune --candidates 8 --screen 8 --confirm 32   # a few minutes, claims nothing',
    )
    .action(async ({ out, workload: name, profile, ...options }: TuneCliOptions) => {
      const ctx = context();
      const directory = out ?? join(project().root, 'results', 'tune');
      checkWritableDirectory(directory);
      mkdirSync(directory, { recursive: true });
      const { Bench } = await import('../../experiments/comparison/bench.js');
      const { openDecider } = await import('../../experiments/lab/open.js');
      const { tune } = await import('../../experiments/studies/tune/run.js');
      const { printTune, tuneCsv, tuneFigure } = await import('../../experiments/studies/tune/print.js');
      const { writeFigure } = await import('../../experiments/figures/render.js');
      const bench = new Bench({ ...BENCH_DEFAULTS, profile, seed: options.seed }, { signal: ctx.signal });
      const workload = await openDecider({ workload: name }, options.seed);
      const { baseline, candidates, screen, confirm, finalists, seed } = options;
      const command = `dllm-npu tune --workload ${name} --profile ${profile} --baseline ${baseline} --candidates ${candidates} --screen ${screen} --confirm ${confirm} --finalists ${finalists} --seed ${seed}`;
      try {
        let said = 0;
        const result = await tune(bench, workload, options, join(directory, 'samples.jsonl'), command, {
          onProgress: (stage, done, total) => {
            if (Date.now() - said < 5000 && done < total) return;
            said = Date.now();
            ctx.note(`${stage}: ${done} of ${total} decodes`);
          },
        });
        atomicWriteFile(join(directory, 'tune.json'), `${JSON.stringify(result, null, 1)}\n`);
        atomicWriteFile(join(directory, 'tune.csv'), tuneCsv(result));
        await writeFigure(join(directory, 'figure'), tuneFigure(result));
        ctx.print(printTune(result, ctx.color));
        ctx.note(`written to ${directory}: tune.json, tune.csv, figure.svg, figure.png, samples.jsonl`);
        ctx.data(result);
      } finally {
        workload.close();
        bench.close();
      }
    });
}
