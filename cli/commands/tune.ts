import { join } from 'node:path';
import { z } from 'zod';
import { writeFigure } from '../../experiments/figures/formats.js';
import { ResultStore } from '../../experiments/lab/store.js';
import { printTune, tuneCsv, tuneFigure } from '../../experiments/studies/tune/print.js';
import { tune } from '../../experiments/studies/tune/run.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { paper } from '../figure-files.js';
import { gitCommit } from '../git-commit.js';
import { chip, engine, model, path, problems, runs } from '../groups.js';
import { MAX_PROBLEMS } from '../limits.js';
import { resultsDirectory } from '../results-directory.js';

const DIRECTORY = join('results', 'tune');
// Candidates x problems of the screening are runs that are planned at once.
const MAX_CANDIDATES = 200;
const MAX_SCREEN = 1000;
const count = z.int().max(MAX_PROBLEMS);

export const command = defineCommand({
  options: {
    workload: model.describe('model that decides and is scored'),
    engine: engine.engine,
    profile: chip.profile,
    baseline: z
      .string()
      .default('block-kv')
      .describe('quality must be non-inferior to it')
      .meta({ value: 'policy' }),
    candidates: count.min(0).max(MAX_CANDIDATES).default(40).describe('policies drawn from the space'),
    screen: count.min(1).max(MAX_SCREEN).default(48).describe('problems on which all are tried'),
    confirm: count.min(1).default(1600).describe('further problems on which the shortlist is judged'),
    finalists: count
      .min(0)
      .max(MAX_CANDIDATES)
      .default(4)
      .describe('policies on the shortlist beside baseline and full system'),
    seed: problems.seed.describe('seed of problems and draw'),
    genLength: problems.genLength,
    ...runs,
    ...paper,
    out: path(`where tune.json, tune.csv and the figure go (default: ${DIRECTORY})`, 'dir'),
  },
  notes:
    'Two stages: many policies on few problems, then the fastest plausible ones on others. Every decode is kept in' +
    '\nresults/runs at once: run the same command again after an interruption and it goes on.',
  examples: ['tune', 'tune --candidates 8 --screen 8 --confirm 32   # a few minutes, claims nothing'],
  async run(ctx, { out = DIRECTORY, jobs, results, width, title, ...options }) {
    checkWritableDirectory(out);
    const store = new ResultStore(resultsDirectory(results));
    checkWritableDirectory(store.directory);
    let said = 0;
    const found = await tune(options, {
      store,
      jobs,
      signal: ctx.signal,
      gitCommit: gitCommit(),
      onProgress: (stage, done, total) => {
        if (Date.now() - said < 5000 && done < total) return;
        said = Date.now();
        ctx.note(`${stage}: ${done} of ${total} decodes`);
      },
    });
    atomicWriteFile(join(out, 'tune.json'), `${JSON.stringify(found, null, 1)}\n`);
    atomicWriteFile(join(out, 'tune.csv'), tuneCsv(found));
    await writeFigure(join(out, 'figure'), tuneFigure(found), { width, title });
    ctx.print(printTune(found, ctx.color));
    ctx.note(
      `written to ${out}: tune.json, tune.csv, figure.pdf, figure.svg, figure.png; runs in ${store.directory}`,
    );
    ctx.data(found);
  },
});
