import type { Command } from 'commander';
import type { Agreement, RowState } from '../../engine/compare/agreement.js';
import type { EngineComparison } from '../../engine/compare/compare-engines.js';
import type { LoadedModel } from '../../model/load.js';
import { formatTable } from '../../util/table.js';
import { addEngineOptions, type EngineOptions, openEngine } from '../engine-options.js';
import { gitCommit } from '../git-commit.js';
import type { Context } from '../io.js';
import { integer, number } from '../options.js';
import { progressBar } from '../progress.js';
import { requireTokenizer } from '../prompt.js';

interface NumericsOptions extends EngineOptions {
  readonly against: string;
  readonly policy: string;
  readonly quant?: string;
  readonly n: number;
  readonly firstIndex: number;
  readonly seed: number;
  readonly model: string;
  readonly genLength: number;
  readonly blockLength?: number;
  readonly nearTie: number;
  readonly out?: string;
}

export function registerNumerics(program: Command, context: () => Context): void {
  const command = program
    .command('numerics')
    .description("what an engine's arithmetic changes: agreement by token state, KL, near-ties, tokens")
    .option('--against <engine>', 'engine that it is compared with', 'tfjs')
    .option('--policy <name>', 'decoding policy, see `policies`', 'llada.cpp')
    .option(
      '--quant <name>',
      'convert the weights first, for both: f32, f16, q8_0, q4_0 (default: as stored)',
    )
    .option('--n <problems>', 'held-out problems of the shipped task', integer(1), 8)
    .option('--first-index <n>', 'index of the first problem', integer(0), 0)
    .option('--seed <n>', 'seed of the problems', integer(0), 1)
    .option('--model <name>', 'shipped model, directory or .gguf file', 'tiny-llada')
    .option('--gen-length <n>', 'positions to generate', integer(1), 128)
    .option('--block-length <n>', "positions per block (default: the policy's)", integer(1))
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
  const { composePolicy } = await import('../../decode/compose.js');
  const { policySpecByName } = await import('../../decode/policies.js');
  const { parsePolicySpec } = await import('../../decode/spec.js');
  const { compareEngines } = await import('../../engine/compare/compare-engines.js');
  const { cooperative } = await import('../../engine/cooperative.js');
  const { fileSha256, loadModel } = await import('../../model/load.js');
  const { encodePrompt } = await import('../../model/prompt.js');
  const { generateProblem } = await import('../../train/problems.js');
  const { scoreResponse } = await import('../../train/score.js');
  const { atomicWriteFile } = await import('../../util/atomic-write.js');
  const named = policySpecByName(options.policy);
  const { blockLength, quant } = options;
  const spec = parsePolicySpec(blockLength === undefined ? named : { ...named, blockLength });
  const loaded = await loadModel(options.model);
  const tokenizer = requireTokenizer(loaded);
  const model = await converted(loaded, quant);
  const problems = Array.from({ length: options.n }, (_, at) => {
    const index = options.firstIndex + at;
    const problem = generateProblem(options.seed, index, 'long', 'heldout');
    return { index, problem, promptIds: encodePrompt(tokenizer, problem.prompt) };
  });
  const reference = await openEngine(ctx, model, { ...options, engine: options.against });
  try {
    const engine = await openEngine(ctx, model, options);
    const bar = progressBar(ctx, 'problems');
    try {
      const compared = await compareEngines({
        ...{ reference: cooperative(reference), engine: cooperative(engine), problems },
        ...{ policy: composePolicy(spec), genLength: options.genLength, nearTie: options.nearTie },
        onProgress: (done, total) => bar.update(done, total),
        signal: ctx.signal,
      }).finally(() => bar.stop());
      const exact = (tokens: readonly number[], at: number): boolean => {
        const end = tokens.indexOf(model.config.eosId);
        const text = tokenizer.decode(end < 0 ? tokens : tokens.slice(0, end));
        return scoreResponse(problems[at]!.problem, text).exact;
      };
      const { answers, ...rest } = compared;
      const commit = gitCommit();
      const report: NumericsReport = {
        ...{ schema: 'dllm-npu/numerics', version: 1, ...rest },
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

interface NumericsReport extends Omit<EngineComparison, 'answers'> {
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
  const { quantByName } = await import('../../model/precision.js');
  const { requantised } = await import('../../model/weight-views.js');
  return { ...model, weights: requantised(model.config, model.weights, quantByName(name)) };
}

const LABELS: Readonly<Record<RowState | 'all', string>> = {
  ...{ masked: 'masked, past the window', invisible: 'invisible', visible: 'visible', stable: 'stable' },
  ...{ prompt: 'prompt', all: 'all' },
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
