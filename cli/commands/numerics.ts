import { z } from 'zod';
import { type NumericsReport, numericsReport } from '../../experiments/lab/numerics-report.js';
import { openProblems } from '../../experiments/lab/problems.js';
import { deciderSchema } from '../../experiments/lab/setup.js';
import type { Agreement, RowState } from '../../src/engine/compare/agreement.js';
import type { EngineName } from '../../src/engine/registry.js';
import { QUANTS } from '../../src/model/precision.js';
import { requantised } from '../../src/model/weight-views.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableFile } from '../../src/util/check-writable.js';
import { table } from '../../src/util/table.js';
import { defineCommand } from '../command.js';
import { gitCommit } from '../git-commit.js';
import { engine, engineEffects, path, problems } from '../groups.js';
import type { Context } from '../io.js';
import { openEngine } from '../open-engine.js';
import { progressBar } from '../progress.js';

export const command = defineCommand({
  options: {
    against: deciderSchema.shape.engine.default('tfjs').describe('engine that it is compared with'),
    quant: z
      .enum(QUANTS)
      .optional()
      .describe('convert the weights first, for both: f32, f16, q8_0, q4_0 (default: as stored)'),
    ...problems,
    cases: problems.cases.default(8),
    nearTie: z
      .number()
      .min(0)
      .max(100)
      .default(0.1)
      .describe('logits between best and second best of a near-tie')
      .meta({ value: 'margin' }),
    out: path('also write the result as JSON'),
    ...engine,
    engine: engine.engine.default('npu-numerics'),
  },
  effects: engineEffects((input: { readonly engine: EngineName; readonly against: EngineName }) => [
    input.engine,
    input.against,
  ]),
  notes:
    'Both engines compute the passes of the reference decode, and the logits of every row are compared; then each' +
    '\ndecodes on its own, and the tokens are. A difference is a result: it does not fail.',
  examples: [
    'numerics --n 64',
    'numerics --quant q4_0 --policy block-kv --n 16',
    'numerics --engine ort --compute int8 --quant q4_0 --json',
  ],
  async run(ctx, input) {
    const { quant, out } = input;
    checkWritableFile(out);
    const { spec, model: stored, problems: chosen } = await openProblems(input);
    const model = quant === undefined ? stored : { ...stored, weights: requantised(stored.weights, quant) };
    const reference = await openEngine(ctx, model, { ...input, engine: input.against });
    try {
      const other = await openEngine(ctx, model, input);
      const bar = progressBar(ctx, 'problems');
      try {
        const report = await numericsReport(
          { ...input, spec, model, problems: chosen, reference, engine: other, gitCommit: gitCommit() },
          { signal: ctx.signal, onProgress: (done, total) => bar.update(done, total) },
        ).finally(() => bar.stop());
        if (out !== undefined) {
          atomicWriteFile(out, `${JSON.stringify(report, null, 1)}\n`);
          ctx.note(`written to ${out}`);
        }
        ctx.data(report);
        print(ctx, report);
      } finally {
        other.dispose();
      }
    } finally {
      reference.dispose();
      await stored.weights.close();
    }
  },
});

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
    ...['state', '> rows', '> same\nbest %', '> near-\nties %', '> differ', '> no\nnear-tie'],
    ...['> largest\nmargin', '> KL\nmean', '> KL\nmax', '> logit\nerror'],
  ];
  ctx.print(table(header, agreement.map(cells)));
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
