import type { Command } from 'commander';
import type { Agreement, RowState } from '../../src/engine/compare/agreement.js';
import type { EngineComparison } from '../../src/engine/compare/compare-engines.js';
import type { LoadedModel } from '../../src/model/load.js';
import { formatTable } from '../../src/util/table.js';
import { addEngineOptions, type EngineOptions, openEngine } from '../engine-options.js';
import { gitCommit } from '../git-commit.js';
import type { Context } from '../io.js';
import { number } from '../numbers.js';
import { addProblemOptions, chooseProblems, type ProblemOptions } from '../problem-options.js';
import { progressBar } from '../progress.js';

interface NumericsOptions extends EngineOptions, ProblemOptions {
  readonly against: string;
  readonly quant?: string;
  readonly nearTie: number;
  readonly out?: string;
}

export function registerNumerics(program: Command, context: () => Context): void {
  const command = program
    .command('numerics')
    .description("what an engine's arithmetic changes: agreement by token state, KL, near-ties, tokens")
    .option('--against <engine>', 'engine that it is compared with', 'tfjs')
    .option(
      '--quant <name>',
      'convert the weights first, for both: f32, f16, q8_0, q4_0 (default: as stored)',
    );
  addProblemOptions(command, { n: 8, policy: 'llada.cpp' })
    .option('--near-tie <margin>', 'logits between best and second best of a near-tie', number(0, 100), 0.1)
    .option('--out <file>', 'also write the result as JSON');
  addEngineOptions(command, 'npu-numerics')
    .addHelpText(
      'after',
      '\nBoth engines compute the passes of the reference decode, and the logits of every row are compared; then each' +
        '\ndecodes on its own, and the tokens are. A difference is a result: it does not fail.' +
        '\n\nExamples:' +
        '\n  $ dllm-npu numerics --n 64' +
        '\n  $ dllm-npu numerics --quant q4_0 --policy block-kv --n 16' +
        '\n  $ dllm-npu numerics --engine ort --compute int8 --quant q4_0 --json',
    )
    .action((options: NumericsOptions) => run(context(), options));
}

async function run(ctx: Context, options: NumericsOptions): Promise<void> {
  const { composePolicy } = await import('../../src/decode/method/compose.js');
  const { compareEngines } = await import('../../src/engine/compare/compare-engines.js');
  const { cooperative } = await import('../../src/engine/cooperative.js');
  const { fileSha256 } = await import('../../src/model/load.js');
  const { scoreResponse } = await import('../../src/score/score.js');
  const { atomicWriteFile } = await import('../../src/util/atomic-write.js');
  const { quant } = options;
  const { spec, model: loaded, tokenizer, problems } = await chooseProblems(options);
  const model = await converted(loaded, quant);
  const reference = await openEngine(ctx, model, { ...options, engine: options.against });
  try {
    const engine = await openEngine(ctx, model, options);
    const bar = progressBar(ctx, 'problems');
    try {
      const compared = await compareEngines({
        reference: cooperative(reference),
        engine: cooperative(engine),
        problems,
        policy: composePolicy(spec),
        genLength: options.genLength,
        nearTie: options.nearTie,
        onProgress: (done, total) => bar.update(done, total),
        signal: ctx.signal,
      }).finally(() => bar.stop());
      const exact = (tokens: readonly number[], at: number): boolean => {
        const end = tokens.indexOf(model.config.eosId);
        const text = tokenizer.decode(end < 0 ? tokens : tokens.slice(0, end));
        return scoreResponse(problems[at]!.problem, text).exact;
      };
      const { answers, states: _, ...rest } = compared;
      const commit = gitCommit();
      const report: NumericsReport = {
        schema: 'dllm-npu/numerics',
        version: 1,
        ...rest,
        model: { name: model.config.name, sha256: await fileSha256(model.weightsPath) },
        weights: quant ?? 'as stored',
        problems: { n: options.n, firstIndex: options.firstIndex, seed: options.seed },
        genLength: options.genLength,
        exactAnswers: {
          reference: answers.filter(({ reference: tokens }, at) => exact(tokens, at)).length,
          engine: answers.filter(({ engine: tokens }, at) => exact(tokens, at)).length,
        },
        divergences: answers.flatMap(({ problem, differentTokens, first }) =>
          first === null ? [] : [{ problem, differentTokens, ...first }],
        ),
        ...(commit === undefined ? {} : { gitCommit: commit }),
      };
      if (options.out !== undefined) {
        atomicWriteFile(options.out, `${JSON.stringify(report, null, 1)}\n`);
        ctx.note(`written to ${options.out}`);
      }
      ctx.data(report);
      print(ctx, report);
    } finally {
      engine.dispose();
    }
  } finally {
    reference.dispose();
    await loaded.weights.close();
  }
}

interface NumericsReport extends Omit<EngineComparison, 'answers' | 'states'> {
  readonly schema: 'dllm-npu/numerics';
  readonly version: 1;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly weights: string;
  readonly problems: { readonly n: number; readonly firstIndex: number; readonly seed: number };
  readonly genLength: number;
  readonly exactAnswers: { readonly reference: number; readonly engine: number };
  readonly divergences: readonly (NonNullable<EngineComparison['answers'][number]['first']> & {
    readonly problem: number;
    readonly differentTokens: number;
  })[];
  readonly gitCommit?: string;
}

/** The model with its weights in another format, converted as they are read. */
async function converted(model: LoadedModel, name: string | undefined): Promise<LoadedModel> {
  if (name === undefined) return model;
  const { quantByName } = await import('../../src/model/precision.js');
  const { requantised } = await import('../../src/model/weight-views.js');
  return { ...model, weights: requantised(model.config, model.weights, quantByName(name)) };
}

const LABELS: Readonly<Record<RowState | 'all', string>> = {
  masked: 'masked, past the window',
  invisible: 'invisible',
  visible: 'visible',
  stable: 'stable',
  prompt: 'prompt',
  all: 'all',
};

function print(ctx: Context, report: NumericsReport): void {
  const { agreement, tokens, exactAnswers, divergences, problems } = report;
  ctx.print(
    `${report.engine} against ${report.reference}: ${report.model.name}, weights ${report.weights}, ${report.policy}, ${problems.n} problems`,
  );
  const percent = (part: number, whole: number): string =>
    whole === 0 ? '' : ((100 * part) / whole).toFixed(2);
  const cells = (row: Agreement): string[] => [
    LABELS[row.state],
    String(row.rows),
    percent(row.sameBest, row.rows),
    percent(row.nearTies, row.rows),
    String(row.rows - row.sameBest),
    String(row.differentBeyondNearTies),
    row.largestMarginTurned === null ? '' : row.largestMarginTurned.toFixed(3),
    row.klMean.toExponential(1),
    row.klMax.toExponential(1),
    row.maxLogitError.toFixed(3),
  ];
  const header = [
    ['state'],
    ['rows'],
    ['same', 'best %'],
    ['near-', 'ties %'],
    ['differ'],
    ['no', 'near-tie'],
    ['largest', 'margin'],
    ['KL', 'mean'],
    ['KL', 'max'],
    ['logit', 'error'],
  ];
  ctx.print(
    formatTable(
      header.map((lines) => ({ header: lines, align: lines[0] === 'state' ? 'left' : 'right' })),
      agreement.map(cells),
    ),
  );
  ctx.print(
    `\n${tokens.different} of ${tokens.compared} tokens differ when each decodes on its own (${divergences.length} of ${problems.n} answers); exact answers ${exactAnswers.reference} and ${exactAnswers.engine}`,
  );
  for (const { problem, step, position, token, expected, logitMargin, differentTokens } of divergences.slice(
    0,
    5,
  )) {
    ctx.print(
      `  problem ${problem}: first at step ${step}, position ${position}: token ${token} instead of ${expected}, margin ${logitMargin.toExponential(1)}; ${differentTokens} tokens`,
    );
  }
}
