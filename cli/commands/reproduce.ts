import { join } from 'node:path';
import { z } from 'zod';
import { resultsMarkdown } from '../../experiments/comparison/markdown.js';
import { workbenchSchema } from '../../experiments/comparison/options.js';
import { printOverview, printResult } from '../../experiments/comparison/print.js';
import type { ReproduceResult } from '../../experiments/comparison/result.js';
import { runStudy, writeOutcome } from '../../experiments/comparison/run.js';
import { Workbench } from '../../experiments/comparison/workbench.js';
import { ResultStore } from '../../experiments/lab/store.js';
import { ALL, LONG, STUDIES, STUDY_NAMES, studiesNamed } from '../../experiments/studies/registry.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { paper } from '../figure-files.js';
import { gitCommit } from '../git-commit.js';
import { path, runs } from '../groups.js';
import { progressBar } from '../progress.js';
import { resultsDirectory } from '../results-directory.js';

const DIRECTORY = join('results', 'reproduce');

export const command = defineCommand({
  arguments: {
    name: z
      .string()
      .describe(`${STUDY_NAMES.join(', ')}, or ${ALL} (without ${LONG.join(', ')}, which take minutes)`),
  },
  options: {
    ...workbenchSchema.shape,
    ...paper,
    ...runs,
    out: path(`where result.json, rows.csv and the figure go (default: ${DIRECTORY}/NAME)`, 'dir'),
  },
  effects: [
    {
      options: ['quick'],
      when: ({ name }) => name === 'alternatives',
      because: 'only alternatives takes minutes',
    },
    {
      options: ['jobs', 'results'],
      when: ({ name }) => name === 'rivals',
      because: 'only the decodes of rivals are runs of the store',
    },
  ],
  notes:
    'Kinds: calibrated proves nothing, predicted must come out, ordering promises an order and no value. A row that' +
    '\nmisses its band is marked and explained; nothing is tuned. A missed band is a finding, not a failure: exit 0.',
  examples: [
    'reproduce table2',
    'reproduce fig5b --workload tiny-llada --prompts 20',
    'reproduce alternatives --quick    # other ways to be fast: stacks, formats, pruning; all of it: minutes',
    'reproduce rivals --prompts 1600 --jobs 2    # goes on where it was cut off',
    'reproduce all --json    # also writes table.md',
  ],
  async run(ctx, { name, out, width, title, jobs, results: kept, ...options }) {
    const names = studiesNamed(name);
    const directoryOf = (each: string) =>
      name === ALL ? join(out ?? DIRECTORY, each) : (out ?? join(DIRECTORY, each));
    for (const each of names) checkWritableDirectory(directoryOf(each));
    const bar = progressBar(ctx, 'runs');
    const bench = new Workbench(options, {
      signal: ctx.signal,
      onProgress: (done, total) => bar.update(done, total),
      gitCommit: gitCommit(),
      store: new ResultStore(resultsDirectory(kept)),
      jobs,
    });
    const results: ReproduceResult[] = [];
    try {
      for (const each of names) {
        ctx.signal.throwIfAborted();
        if (names.length > 1) ctx.note(`${each} (${results.length + 1} of ${names.length})`);
        const outcome = await runStudy(await STUDIES[each](), bench);
        const directory = directoryOf(each);
        await writeOutcome(directory, outcome, { width, title });
        ctx.print(`${printResult(outcome.result, ctx.color)}\n`);
        ctx.note(
          `written to ${directory}: result.json, rows.csv, figure.pdf, figure.svg, figure.png, figure.vl.json`,
        );
        results.push(outcome.result);
      }
    } finally {
      bar.stop();
      await bench.close();
    }
    if (results.length > 1) {
      ctx.print(printOverview(results, ctx.color));
      const table = join(out ?? DIRECTORY, 'table.md');
      atomicWriteFile(table, `${resultsMarkdown(results)}\n`);
      ctx.note(`every row with a published number: ${table}`);
    }
    const data = results.map(({ name, rows, table, assumed, decisions, notes }) => ({
      name,
      rows: table ?? rows,
      assumed,
      decisions,
      notes,
    }));
    ctx.data(name === ALL ? { name, experiments: data } : data[0]);
  },
});
