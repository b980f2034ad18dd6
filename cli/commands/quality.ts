import { join } from 'node:path';
import { createColors } from 'picocolors';
import { z } from 'zod';
import { ResultStore } from '../../experiments/lab/store.js';
import { QUALITY_DEFAULTS as d } from '../../experiments/studies/quality/options.js';
import { runQuality } from '../../experiments/studies/quality/run.js';
import type { QualityTable } from '../../experiments/studies/quality/table.js';
import { POLICY_NAMES } from '../../src/decode/policies.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory, checkWritableFile } from '../../src/util/check-writable.js';
import { table } from '../../src/util/table.js';
import { defineCommand } from '../command.js';
import { gitCommit } from '../git-commit.js';
import { engine, path, policies, problems, runs } from '../groups.js';
import { progressBar } from '../progress.js';
import { resultsDirectory } from '../results-directory.js';

const LATEST = join('results', 'quality', 'latest.json');

export const command = defineCommand({
  options: {
    cases: problems.cases.default(d.n),
    firstCase: problems.firstCase,
    seed: problems.seed,
    model: problems.model,
    engine: engine.engine,
    genLength: problems.genLength,
    blockLength: problems.blockLength.describe("tokens per block (default: every policy's own)"),
    policies,
    baseline: z.string().default(d.baseline).describe('policy the others are paired with'),
    ...runs,
    out: path(`where the table goes (default: ${LATEST})`),
  },
  examples: ['quality --n 1600', 'quality --n 200 --policies block-kv,mbsd,llada.cpp --json'],
  async run(
    ctx,
    { cases: n, firstCase: firstIndex, jobs, results, out = LATEST, policies: names, ...options },
  ) {
    checkWritableFile(out);
    const store = new ResultStore(resultsDirectory(results));
    checkWritableDirectory(store.directory);
    const bar = progressBar(ctx, 'runs');
    const quality = await runQuality(
      { ...options, n, firstIndex, policies: names ?? POLICY_NAMES },
      {
        onProgress: (done, total) => bar.update(done, total),
        signal: ctx.signal,
        gitCommit: gitCommit(),
        store,
        jobs,
      },
    ).finally(() => bar.stop());
    ctx.signal.throwIfAborted();
    atomicWriteFile(out, `${JSON.stringify(quality, null, 1)}\n`);
    ctx.data(quality);
    ctx.print(qualityText(quality, ctx.color));
    ctx.note(`\nwritten to ${out}; runs in ${store.directory}`);
  },
});

function qualityText(quality: QualityTable, color: boolean): string {
  const percent = (share: number): string => (100 * share).toFixed(1);
  const rows = quality.rows.map(
    ({ policy, exact, taskAccuracy, forwards, rows, tokensPerForward, paired }) => [
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
    ],
  );
  const head = [
    ...['policy', '> exact %', '> 95 %', '> tasks %', '> forwards', '> rows', '> tok/fwd', '> pairs', '> p'],
    '> same text %',
  ];
  const c = createColors(color);
  return [table(head, rows), '', ...quality.notes.map((note) => c.dim(note))].join('\n');
}
