import { z } from 'zod';
import { type RecoveryTable, runRecovery } from '../../experiments/studies/recovery/run.js';
import { POLICY_NAMES } from '../../src/decode/policies.js';
import { UsageError } from '../../src/errors.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableFile } from '../../src/util/check-writable.js';
import { readText } from '../../src/util/read-file.js';
import { table } from '../../src/util/table.js';
import { defineCommand } from '../command.js';
import { engine, path, policies, problems } from '../groups.js';
import { progressBar } from '../progress.js';

export const command = defineCommand({
  arguments: { texts: z.string().describe('file of texts, one a line') },
  options: {
    model: problems.model,
    engine: engine.engine,
    policies,
    shares: z
      .array(z.number().int().min(1).max(100))
      .default([15, 30, 50, 70])
      .describe('percent of the tokens of a text that are masked'),
    draws: z.number().int().min(1).max(1000).default(3).describe('maskings of every text'),
    seed: problems.seed,
    out: path('where the table goes, as JSON').optional(),
  },
  notes:
    'For models that fill in masks. A text stands between the start and the end token of the model. Policies that decode' +
    '\nleft to right cannot, and are listed with the reason.',
  examples: ['recover reactions.txt --model rxnmapper/ --engine ort --policies llada,threshold'],
  async run(ctx, { texts: file, out, policies: names, shares: percents, ...options }) {
    if (out !== undefined) checkWritableFile(out);
    const texts = readText(file)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    if (texts.length === 0) throw new UsageError(`${file}: no texts`);
    const bar = progressBar(ctx, 'policies');
    const shares = percents.map((percent) => percent / 100);
    const recovery = await runRecovery({ ...options, shares, policies: names ?? POLICY_NAMES }, texts, {
      onProgress: (done, total) => bar.update(done, total),
      signal: ctx.signal,
    }).finally(() => bar.stop());
    if (out !== undefined) atomicWriteFile(out, `${JSON.stringify(recovery, null, 1)}\n`);
    ctx.data(recovery);
    ctx.print(textOf(recovery));
  },
});

function textOf({ rows, refused }: RecoveryTable): string {
  const percent = (share: number): string => (100 * share).toFixed(1);
  const lines = rows.map(({ policy, share, tokens, whole, forwards }) => [
    policy,
    percent(share),
    percent(tokens.right / tokens.n),
    percent(whole.successes / whole.n),
    `${percent(whole.low)}-${percent(whole.high)}`,
    forwards.toFixed(1),
  ]);
  const head = ['policy', '> masked %', '> tokens back %', '> texts back %', '> 95 %', '> forwards'];
  return [table(head, lines), ...refused.map(({ policy, reason }) => `${policy}: ${reason}`)].join('\n');
}
