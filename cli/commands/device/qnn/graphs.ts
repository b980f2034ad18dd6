import { mkdirSync } from 'node:fs';
import { z } from 'zod';
import { bucketName } from '../../../../hw/graph/buckets.js';
import { openTrace } from '../../../../hw/qnn/open-trace.js';
import { bucketsOf, writeReplayGraphs } from '../../../../hw/qnn/replay-graphs.js';
import { checkWritableDirectory } from '../../../../src/util/check-writable.js';
import { defineCommand } from '../../../command.js';
import { recordedModel, tracePath } from '../../../recorded-trace.js';

export const command = defineCommand({
  arguments: { trace: tracePath },
  options: {
    model: recordedModel,
    out: z.string().min(1).describe('where the graphs go').meta({ value: 'dir' }),
  },
  notes:
    'One graph of fixed shape per bucket. Convert each with qairt-converter (it needs the Python of the SDK), and compile with' +
    '\n`device qnn compile`; for lower precision use qairt-quantizer in between:' +
    '\n  for g in graphs/*.onnx; do qairt-converter --input_network $g --output_path graphs/$(basename $g .onnx).dlc; done',
  examples: [
    'generate --problem 0 --policy block-kv --gen-length 32 --trace t.jsonl',
    'device qnn graphs t.jsonl --out graphs',
  ],
  async run(ctx, { trace: path, model: name, out }) {
    checkWritableDirectory(out);
    const { trace, model } = await openTrace(path, name);
    try {
      mkdirSync(out, { recursive: true });
      const needed = bucketsOf(trace, model.config.contextLength);
      const files = await writeReplayGraphs(
        model.config,
        model.weights,
        needed.map(({ bucket }) => bucket),
        out,
      );
      ctx.data({
        files,
        buckets: needed.map(({ bucket, passes }) => ({ name: bucketName(bucket), ...bucket, passes })),
      });
      for (const [index, { passes }] of needed.entries()) ctx.print(`${files[index]}  ${passes} passes`);
      ctx.print('\nNext: convert each to a .dlc beside it (qairt-converter), then `device qnn compile`');
    } finally {
      await model.weights.close();
    }
  },
});
