import { z } from 'zod';
import { deciderSchema } from '../../../experiments/lab/setup.js';
import { recordModel } from '../../../experiments/trajectories/of-model.js';
import { atomicWriteFile } from '../../../src/util/atomic-write.js';
import { checkWritableFile } from '../../../src/util/check-writable.js';
import { defineCommand } from '../../command.js';
import { engine, problems } from '../../groups.js';
import { progressBar } from '../../progress.js';

export const command = defineCommand({
  options: {
    out: z.string().describe('where the trajectories go (JSON Lines)').meta({ value: 'file' }),
    workload: deciderSchema.shape.workload,
    seed: problems.seed,
    cases: problems.cases.default(8),
    genLength: problems.genLength,
    blockLength: z.int().min(1).default(32).describe('positions per block'),
    tau: z
      .number()
      .min(0)
      .max(1.01)
      .optional()
      .describe('commit every token at this confidence (default: one token per step)'),
    engine: engine.engine,
  },
  examples: [
    'workload record --workload tiny-llada:hard --out hard.jsonl',
    'workload check --from hard.jsonl',
  ],
  async run(ctx, { out, workload, engine: runs, ...options }) {
    checkWritableFile(out);
    const bar = progressBar(ctx, 'answers');
    const made = await recordModel(
      { workload, engine: runs },
      { ...options, signal: ctx.signal, onProgress: (done) => bar.update(done, options.cases) },
    ).finally(() => bar.stop());
    atomicWriteFile(out, made.map((each) => `${JSON.stringify(each)}\n`).join(''));
    ctx.data({ trajectories: made.length, right: made.filter(({ right }) => right?.at(-1)).length });
    ctx.print(`${made.length} trajectories written to ${out}`);
  },
});
