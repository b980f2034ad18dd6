import { z } from 'zod';
import { deciderSchema } from '../../../experiments/lab/setup.js';
import { workloadEmergence } from '../../../experiments/trajectories/of-workload.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { engine, path } from '../../groups.js';
import { MAX_POSITIONS, MAX_PROBLEMS } from '../../limits.js';
import { progressBar } from '../../progress.js';

const count = (most: number) => z.int().min(1).max(most).optional();

export const command = defineCommand({
  options: {
    workload: deciderSchema.shape.workload.default('synthetic:gsm8k'),
    from: path('recorded trajectories (JSON Lines) in place of a workload, see docs/workloads.md'),
    seed: z.int().min(0).default(1).describe('seed of the problems, or of the process'),
    cases: count(MAX_PROBLEMS)
      .describe('answers (default: 32 of a model, 1,000 of a process)')
      .meta({ alias: 'n' }),
    genLength: count(MAX_POSITIONS).describe(
      'positions to generate (default: 128 of a model, 256 of a process)',
    ),
    blockLength: z.int().min(1).default(32).describe('positions per block'),
    engine: engine.engine,
  },
  effects: [
    {
      options: ['workload', 'seed', 'cases', 'genLength', 'blockLength', 'engine'],
      when: ({ from }) => from === undefined,
      because: 'the answers are those of --from',
    },
    {
      options: ['engine'],
      when: ({ workload }) => !workload.startsWith('synthetic'),
      because: 'a confidence process runs on none',
    },
  ],
  notes:
    'One token per step, the whole canvas scored in each, as LLaDA decodes. An answer counts as right after a step when what was' +
    '\ndecided, completed by the best token of every position that is still masked, is a right answer. The published setting' +
    '\n(LLaDA-8B on GSM8K, 256 steps, blocks of 32) is --workload synthetic:gsm8k.',
  examples: [
    'workload emergence --workload tiny-llada:hard',
    'workload emergence --workload synthetic:gsm8k --json',
    'workload emergence --from trajectories.jsonl',
  ],
  async run(ctx, options) {
    const bar = progressBar(ctx, 'answers');
    const {
      emergence: found,
      decisions,
      notes,
    } = await workloadEmergence(options, {
      signal: ctx.signal,
      onProgress: (done, total) => bar.update(done, total),
    }).finally(() => bar.stop());
    ctx.data({
      steps_pct: found.stepsPct,
      right_pct: found.rightPct,
      right_then_wrong_pct: found.rightThenWrongPct,
      low_pct: found.lowPct,
      high_pct: found.highPct,
      right_then_wrong_low_pct: found.rightThenWrongLowPct,
      right_then_wrong_high_pct: found.rightThenWrongHighPct,
      answers: found.answers,
      decisions,
      notes,
    });
    const row = (name: string, value: number, low: number, high: number): string[] => [
      name,
      value.toFixed(1),
      `${low.toFixed(1)}-${high.toFixed(1)}`,
    ];
    ctx.print(`${decisions}\n`);
    ctx.print(
      table(
        ['after', '> right %', '> interval'],
        [
          ...found.stepsPct.map((share, i) =>
            row(`${share} % of the steps`, found.rightPct[i], found.lowPct[i], found.highPct[i]),
          ),
          row(
            'right, then wrong at the end',
            found.rightThenWrongPct,
            found.rightThenWrongLowPct,
            found.rightThenWrongHighPct,
          ),
        ],
      ),
    );
    for (const note of notes) ctx.note(note);
  },
});
