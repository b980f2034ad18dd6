import { z } from 'zod';
import { benchArgs, parseBench } from '../../../../hw/ggml/bench.js';
import { table } from '../../../../src/util/table.js';
import { defineCommand } from '../../../command.js';
import { targetEffects } from '../../../device-target.js';
import { MAX_POSITIONS, MAX_ROWS } from '../../../limits.js';
import { GGML_NOTES, ggml, ggmlData, reportGgml, runTool } from '../../../run-ggml.js';

export const command = defineCommand({
  options: {
    rows: z.array(z.int().min(1).max(MAX_ROWS)).default([32, 64, 128]).describe('rows of a pass'),
    depth: z.int().min(0).max(MAX_POSITIONS).default(0).describe('tokens already cached'),
    repetitions: z.int().min(1).max(10_000).default(5).describe('times each is measured'),
    ...ggml,
  },
  effects: targetEffects,
  notes: GGML_NOTES,
  examples: [
    'device ggml bench --package pkg-snapdragon/llama.cpp --model llada-8b-q4_0.gguf --rows 32,64,96,128',
    'device ggml bench --serial R5CX --package pkg --model m.gguf --profile 3 --log trace.log',
  ],
  async run(ctx, asked) {
    const { rows, depth, repetitions, threads, device } = asked;
    const args = (model: string) => benchArgs({ model, rows, depth, repetitions, threads }, device);
    const result = await runTool(ctx, asked, 'llama-bench', args);
    const measured = parseBench(result.stdout);
    ctx.data({ bench: measured, ...ggmlData(result) });
    ctx.print(`${measured.modelType}, ${measured.backends}, build ${measured.build}`);
    ctx.print(
      table(
        ['> rows', '> cached', '> one pass\nms', '> deviation\nms'],
        measured.rows.map((row) => [
          String(row.rows),
          String(row.depth),
          row.meanMs.toFixed(2),
          row.deviationMs.toFixed(2),
        ]),
      ),
    );
    reportGgml(ctx, asked, result);
  },
});
