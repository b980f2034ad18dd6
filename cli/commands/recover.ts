import { z } from 'zod';
import { ResultStore } from '../../experiments/lab/store.js';
import { type RecoveryTable, runRecovery } from '../../experiments/studies/recovery/run.js';
import { POLICY_NAMES } from '../../src/decode/policies.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory, checkWritableFile } from '../../src/util/check-writable.js';
import { table } from '../../src/util/table.js';
import { defineCommand } from '../command.js';
import { gitCommit } from '../git-commit.js';
import { engine, path, policies, problems, runs } from '../groups.js';
import { progressBar } from '../progress.js';
import { resultsDirectory } from '../results-directory.js';

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
    ...runs,
    out: path('where the table goes, as JSON').optional(),
  },
  notes:
    'For models that fill in masks. A text stands between the start and the end token of the model. Policies that decode' +
    '\nleft to right cannot, and are listed with the reason.',
  examples: ['recover reactions.txt --model rxnmapper/ --engine ort --policies llada,threshold'],
  async run(ctx, { out, policies: names, shares: percents, jobs, results, ...options }) {
    if (out !== undefined) checkWritableFile(out);
    const store = new ResultStore(resultsDirectory(results));
    checkWritableDirectory(store.directory);
    const bar = progressBar(ctx, 'runs');
    const shares = percents.map((percent) => percent / 100);
    const asked = { ...options, shares, policies: names ?? POLICY_NAMES };
    const recovery = await runRecovery(asked, {
      onProgress: (done, total) => bar.update(done, total),
      signal: ctx.signal,
      gitCommit: gitCommit(),
      store,
      jobs,
    }).finally(() => bar.stop());
    ctx.signal.throwIfAborted();
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
