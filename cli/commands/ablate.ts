import { join } from 'node:path';
import { z } from 'zod';
import { ResultStore } from '../../experiments/lab/store.js';
import { slug, writeReport } from '../../experiments/report/write-report.js';
import { wrongRows } from '../../experiments/studies/ladder/check.js';
import { ABLATION_DEFAULTS as d } from '../../experiments/studies/ladder/options.js';
import { printLadder } from '../../experiments/studies/ladder/print.js';
import { runAblation } from '../../experiments/studies/ladder/run.js';
import { writeSummary } from '../../experiments/studies/ladder/summary-file.js';
import { type Trace, writeTrace } from '../../src/decode/trace/trace.js';
import { CheckError } from '../../src/errors.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { paper } from '../figure-files.js';
import { gitCommit } from '../git-commit.js';
import { chip, engine, path, problems, runs } from '../groups.js';
import { MAX_PROBLEMS } from '../limits.js';
import { measuredLadder } from '../measured-ladder.js';
import { progressBar } from '../progress.js';
import { ABLATION_DIRECTORY, resultsDirectory } from '../results-directory.js';

export const command = defineCommand({
  options: {
    cases: problems.cases
      .removeDefault()
      .optional()
      .describe(`held-out prompts (default: ${d.prompts}; with --engine ggml 1)`)
      .meta({ alias: 'prompts' }),
    firstCase: problems.firstCase.describe('index of the first prompt'),
    seed: problems.seed.describe('seed of the prompts and intervals'),
    model: problems.model.describe('model that decides'),
    engine: z
      .enum(['tfjs', 'ggml'])
      .default('tfjs')
      .describe(
        'tfjs: the reference decides, times are simulated; ggml: measured on this machine, beside simulated',
      ),
    device: engine.device,
    threads: engine.threads.describe('threads of ggml on the CPU (default: all)'),
    costModel: chip.costModel,
    quant: chip.quant,
    profile: chip.profile,
    genLength: problems.genLength,
    blockLength: z.int().min(1).default(d.blockLength).describe('tokens per block'),
    verifyPrompts: z
      .int()
      .min(0)
      .max(MAX_PROBLEMS)
      .default(d.verifyPrompts)
      .describe('prompts recomputed without cache or window'),
    verifyEvery: z.int().min(1).default(d.verifyEvery).describe('of those, every n-th step'),
    ...runs,
    ...paper,
    out: path(`where summary.json, figures and report.html go (default: ${ABLATION_DIRECTORY})`, 'dir'),
  },
  effects: [
    {
      options: ['device', 'threads'],
      when: (asked) => asked.engine === 'ggml',
      because: 'it is of --engine ggml',
    },
    {
      options: ['costModel', 'quant', 'verifyPrompts', 'verifyEvery', 'jobs', 'results'],
      when: (asked) => asked.engine !== 'ggml',
      because: 'what is measured is the model itself, as its file has it (`verify --engine ggml` verifies)',
    },
  ],
  notes:
    'Decisions come from the shipped model; costs are those of the cost model on the profile. Nothing is measured on a device unless --engine ggml\nasks for it: then every row decodes on a device of ggml, in wall-clock time (docs/howto/ggml.md). Exit code 1 when a row that must match another does not, or does not match its specification.',
  examples: [
    'ablate',
    'ablate --prompts 50 --out /tmp/ladder',
    'ablate --json | jq .rows[].latency_s.median',
    'ablate --engine ggml --device htp0 --model llada-8b-q4_0.gguf --gen-length 128',
  ],
  async run(ctx, asked) {
    const { cases, firstCase: firstIndex, jobs, results, engine: decides, out = ABLATION_DIRECTORY } = asked;
    checkWritableDirectory(out);
    if (decides === 'ggml') return measuredLadder(ctx, { ...asked, out });
    const { seed, model, costModel, quant, profile, genLength, blockLength, verifyPrompts, verifyEvery } =
      asked;
    const options = { model, costModel, quant, profile, seed, firstIndex, prompts: cases ?? d.prompts };
    const store = new ResultStore(resultsDirectory(results));
    checkWritableDirectory(store.directory);
    const traces: { readonly row: string; readonly trace: Trace }[] = [];
    const bar = progressBar(ctx, 'runs', { log: true });
    const summary = await runAblation(
      { ...options, genLength, blockLength, verifyPrompts, verifyEvery },
      {
        store,
        jobs,
        onProgress: (done, total) => bar.update(done, total),
        onTrace: (row, trace) => traces.push({ row, trace }),
        signal: ctx.signal,
        gitCommit: gitCommit(),
      },
    ).finally(() => bar.stop());
    ctx.signal.throwIfAborted();
    writeSummary(join(out, 'summary.json'), summary);
    for (const { row, trace } of traces) writeTrace(join(out, 'traces', `${slug(row)}.jsonl`), trace);
    ctx.data(summary);
    ctx.print(printLadder(summary, ctx.color));
    await writeReport(out, summary, { width: asked.width, title: asked.title });
    ctx.note(
      `\nwritten to ${out}: report.html (open it in a browser), summary.json, figures, traces of the first prompt; runs in ${store.directory}`,
    );
    const wrong = wrongRows(summary.rows);
    if (wrong.length > 0) throw new CheckError(wrong.join('\n'));
  },
});
