import type { Command } from 'commander';
import { FIT_DEFAULTS } from '../../experiments/lab/deciders/synthetic/fit-options.js';
import { formatTable } from '../../src/util/table.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';

export function registerWorkload(program: Command, context: () => Context): void {
  const workload = program
    .command('workload')
    .description('where decisions come from: a model, a recorded trace, or a confidence process')
    .addHelpText(
      'after',
      '\nEvery command with --workload takes: a model (tiny-llada), trace:FILE or trace:DIRECTORY, synthetic (a' +
        '\nconfidence process fitted to Figures 5b and 8 of the paper), synthetic:PROFILE or synthetic:PROFILE,prompt=TOKENS.' +
        '\n\nExamples:\n  $ dllm-npu workload show\n  $ dllm-npu workload fit --out fitted.json\n  $ dllm-npu reproduce fig5a --workload synthetic:hard',
    );
  workload
    .command('show')
    .description('the confidence process: parameters, what they were fitted to, residuals, profiles')
    .action(async () => {
      const ctx = context();
      const { processFile } = await import('../../experiments/lab/deciders/synthetic/profiles.js');
      const file = processFile();
      ctx.print(
        `Fitted to: ${file.fittedTo}\nBy: ${file.command} (${file.evaluations} evaluations)\nObjective: ${file.objective}\nValue: ${file.value.toFixed(2)}\n`,
      );
      ctx.print(
        formatTable(
          [
            { header: ['parameter'], align: 'left' },
            { header: ['value'], align: 'right' },
            { header: ['assumed because'], align: 'left' },
          ],
          Object.entries(file.parameters).map(([name, value]) => [
            name,
            String(value),
            file.assumed[name] ?? '',
          ]),
        ),
      );
      ctx.print(
        formatTable(
          [
            { header: ['point'], align: 'left' },
            { header: ['fitted'], align: 'right' },
            { header: ['published'], align: 'right' },
          ],
          file.residuals.map(({ name, fitted, target }) => [name, fitted.toFixed(2), String(target)]),
        ),
      );
      ctx.print(
        formatTable(
          [
            { header: ['profile'], align: 'left' },
            { header: ['bias shift'], align: 'right' },
            { header: ['text tokens'], align: 'right' },
            { header: ['set by'], align: 'left' },
          ],
          Object.entries(file.profiles).map(([name, { shift, textTokens, basis }]) => [
            name,
            String(shift),
            textTokens === null ? 'all' : String(textTokens),
            basis,
          ]),
          { maxWidth: 110 },
        ),
      );
      ctx.data(file);
    });
  workload
    .command('fit')
    .description('fits the process to Figures 5b and 8 again, and its profiles to one published figure each')
    .requiredOption('--out <file>', 'where the fitted process goes (JSON)')
    .option('--seed <n>', 'seed of the cases', integer(0), FIT_DEFAULTS.seed)
    .option('--cases <n>', 'answers per threshold and evaluation', integer(1), FIT_DEFAULTS.cases)
    .option('--evaluations <n>', 'evaluations of all starts', integer(1), FIT_DEFAULTS.evaluations)
    .option('--starts <n>', 'starting points', integer(1), FIT_DEFAULTS.starts)
    .action(
      async (options: { out: string; seed: number; cases: number; evaluations: number; starts: number }) => {
        const ctx = context();
        const { fitProcess } = await import('../../experiments/lab/deciders/synthetic/fit.js');
        const { atomicWriteFile } = await import('../../src/util/atomic-write.js');
        const file = await fitProcess({ ...FIT_DEFAULTS, ...options }, (done, best) => {
          ctx.signal.throwIfAborted();
          if (done % 500 === 0)
            ctx.note(`${done} of ${options.evaluations} evaluations, best ${best.toFixed(2)}`);
        });
        atomicWriteFile(options.out, `${JSON.stringify(file, null, 1)}\n`);
        ctx.print(`objective ${file.value.toFixed(2)}, written to ${options.out}`);
        ctx.data(file);
      },
    );
}
