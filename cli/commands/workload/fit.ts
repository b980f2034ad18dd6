import { z } from 'zod';
import { fitProcess } from '../../../experiments/lab/deciders/synthetic/fit.js';
import { FIT_DEFAULTS as d } from '../../../experiments/lab/deciders/synthetic/fit-options.js';
import { fitTrajectories } from '../../../experiments/trajectories/fit.js';
import { atomicWriteFile } from '../../../src/util/atomic-write.js';
import { checkWritableFile } from '../../../src/util/check-writable.js';
import { defineCommand } from '../../command.js';
import { path } from '../../groups.js';
import { MAX_STEPS } from '../../limits.js';

const count = z.int().min(1).max(MAX_STEPS);

export const command = defineCommand({
  options: {
    from: path('recorded trajectories to fit to, in place of the two figures (docs/workloads.md)'),
    out: z.string().describe('where the fitted process goes (JSON)').meta({ value: 'file' }),
    seed: z.int().min(0).default(d.seed).describe('seed of the cases'),
    cases: count.default(d.cases).describe('answers per threshold and evaluation'),
    evaluations: count.default(d.evaluations).describe('evaluations of all starts'),
    starts: count.default(d.starts).describe('starting points'),
  },
  effects: [
    {
      options: ['seed', 'cases', 'starts'],
      when: ({ from }) => from === undefined,
      because: 'it is of the fit to the figures',
    },
  ],
  examples: [
    'workload fit --out fitted.json',
    'workload fit --from trajectories.jsonl --out mine.json    # then: --workload synthetic:mine.json',
  ],
  async run(ctx, { out, from, ...options }) {
    checkWritableFile(out);
    if (from !== undefined) {
      const own = await fitTrajectories(from, options.evaluations);
      atomicWriteFile(out, `${JSON.stringify(own, null, 1)}\n`);
      ctx.print(`mean difference ${own.value.toFixed(1)} points, written to ${out}`);
      ctx.data(own);
      return;
    }
    const file = await fitProcess({ ...d, ...options }, (done, best) => {
      ctx.signal.throwIfAborted();
      if (done % 500 === 0)
        ctx.note(`${done} of ${options.evaluations} evaluations, best ${best.toFixed(2)}`);
    });
    atomicWriteFile(out, `${JSON.stringify(file, null, 1)}\n`);
    ctx.print(`objective ${file.value.toFixed(2)}, written to ${out}`);
    ctx.data(file);
  },
});
