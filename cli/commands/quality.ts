import { join } from 'node:path';
import { createColors } from 'picocolors';
import { z } from 'zod';
import { deciderSchema } from '../../experiments/lab/setup.js';
import { ResultStore } from '../../experiments/lab/store.js';
import { comparedOn, QUALITY_DEFAULTS as d } from '../../experiments/studies/quality/options.js';
import { runQuality } from '../../experiments/studies/quality/run.js';
import { qualitySamples } from '../../experiments/studies/quality/samples.js';
import type { QualityTable } from '../../experiments/studies/quality/table.js';
import { loadModel } from '../../src/model/load.js';
import { readDataFile } from '../../src/score/data-file.js';
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
    cases: problems.cases
      .removeDefault()
      .optional()
      .describe(`problems, or questions of --data (default: ${d.n}, all)`)
      .meta({ alias: 'n' }),
    firstCase: problems.firstCase,
    seed: problems.seed,
    model: problems.model,
    engine: engine.engine,
    data: deciderSchema.shape.data,
    scorer: deciderSchema.shape.scorer,
    template: deciderSchema.shape.template,
    maskToken: deciderSchema.shape.maskToken,
    genLength: problems.genLength,
    blockLength: problems.blockLength.describe("tokens per block (default: every policy's own)"),
    policies,
    baseline: z
      .string()
      .optional()
      .describe(`policy the others are paired with (default: ${d.baseline}, or the usual one of the model)`),
    machine: z
      .string()
      .optional()
      .describe('time every decode on this modelled chip: seconds and joules beside the answers')
      .meta({ value: 'profile' }),
    ...runs,
    logSamples: path('write every answer as a sample of lm-evaluation-harness (JSON Lines)'),
    out: path(`where the table goes (default: ${LATEST})`),
  },
  effects: [
    {
      options: ['scorer', 'template', 'maskToken', 'logSamples'],
      when: ({ data }) => data !== undefined,
      because: 'it is of --data',
    },
    {
      options: ['seed'],
      when: ({ data }) => data === undefined,
      because: 'the questions are those of --data',
    },
  ],
  examples: [
    'quality --data gsm8k_test.jsonl --scorer gsm8k-flexible --n 100 --model llada-8b.gguf --engine ort',
    'quality --n 1600 --machine sm8750',
    'quality --n 200 --policies block-kv,mbsd,llada.cpp --json',
  ],
  async run(
    ctx,
    { cases, firstCase: firstIndex, jobs, results, out = LATEST, logSamples, policies: names, ...options },
  ) {
    checkWritableFile(out);
    checkWritableFile(logSamples);
    const { data } = options;
    const all = data === undefined ? d.n : readDataFile(data).length - firstIndex;
    const n = cases ?? Math.max(1, all);
    const store = new ResultStore(resultsDirectory(results));
    checkWritableDirectory(store.directory);
    const bar = progressBar(ctx, 'runs');
    const { config, weights } = await loadModel(options.model, { text: false });
    await weights.close();
    const usual = comparedOn(config);
    const compared = { policies: names ?? usual.policies, baseline: options.baseline ?? usual.baseline };
    const asked = { ...options, ...compared, n, firstIndex };
    const quality = await runQuality(asked, {
      onProgress: (done, total) => bar.update(done, total),
      signal: ctx.signal,
      gitCommit: gitCommit(),
      store,
      jobs,
    }).finally(() => bar.stop());
    ctx.signal.throwIfAborted();
    if (logSamples !== undefined) atomicWriteFile(logSamples, await qualitySamples(asked, store));
    atomicWriteFile(out, `${JSON.stringify(quality, null, 1)}\n`);
    ctx.data(quality);
    ctx.print(qualityText(quality, ctx.color));
    ctx.note(`\nwritten to ${out}; runs in ${store.directory}`);
  },
});

function qualityText(quality: QualityTable, color: boolean): string {
  const percent = (share: number): string => (100 * share).toFixed(1);
  const rows = quality.rows.map(
    ({ policy, exact, taskAccuracy, forwards, rows, tokensPerForward, seconds, joules, paired }) => [
      policy,
      percent(exact.successes / exact.n),
      `${percent(exact.low)}-${percent(exact.high)}`,
      percent(taskAccuracy),
      forwards.toFixed(1),
      rows.toFixed(0),
      tokensPerForward.toFixed(2),
      ...[seconds, joules].flatMap((value) => (value === null ? [] : [value.median.toPrecision(3)])),
      paired === null ? '' : `+${paired.onlyPolicyRight} -${paired.onlyBaselineRight}`,
      paired === null ? 'baseline' : paired.pHolm < 0.001 ? '<0.001' : paired.pHolm.toFixed(3),
      paired === null ? '' : percent(paired.sameText / exact.n),
    ],
  );
  const head = [
    ...['policy', '> exact %', '> 95 %', '> tasks %', '> forwards', '> rows', '> tok/fwd'],
    ...(quality.options.machine === undefined ? [] : ['> s', '> J']),
    ...['> pairs', '> p', '> same text %'],
  ];
  const c = createColors(color);
  return [table(head, rows), '', ...quality.notes.map((note) => c.dim(note))].join('\n');
}
