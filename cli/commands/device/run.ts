import { join } from 'node:path';
import { openProblems } from '../../../experiments/lab/problems.js';
import { whyTimesDoNotCount } from '../../../hw/record/execution-class.js';
import { graphsText } from '../../../hw/record/record-text.js';
import { decodeProblems } from '../../../hw/session/decode-problems.js';
import { recorded } from '../../../hw/session/recorded.js';
import { composePolicy } from '../../../src/decode/method/compose.js';
import { checkWritableDirectory } from '../../../src/util/check-writable.js';
import { defineCommand } from '../../command.js';
import { device, deviceEffects, LIBRARIES_NOTE, openDevice } from '../../device-options.js';
import { outDirectory, problems } from '../../groups.js';
import { progressBar } from '../../progress.js';

export const command = defineCommand({
  options: {
    ...device,
    ...problems,
    genLength: problems.genLength.default(32),
    out: outDirectory('results/device-run/latest', 'where record.json goes'),
  },
  effects: deviceEffects,
  notes:
    `${LIBRARIES_NOTE} The class of the run follows from what was` +
    '\nseen of it: the libraries in memory, the provider that each node went to, the profile. A refusal, a crash or a hang' +
    '\nis written too, then ends with 3.',
  examples: [
    'device run',
    'device run --backend qnn-cpu',
    'device run --backend htp --numerics f16 --soc-model 69 --contexts ctx',
    'device run --backend htp --numerics w4a16 --soc-model 69 --head cpu --kv f16 --json',
  ],
  async run(ctx, asked) {
    checkWritableDirectory(asked.out);
    const { signal } = ctx;
    const path = join(asked.out, 'record.json');
    const chosen = await openProblems(asked);
    const bar = progressBar(ctx, 'tokens', { log: true });
    try {
      const session = await openDevice(ctx, chosen, asked);
      const request = {
        problems: chosen.problems,
        tokenizer: chosen.model.tokenizer,
        policy: composePolicy(chosen.spec),
        genLength: asked.genLength,
        signal,
        onProgress: (done: number, total: number) => bar.update(done, total),
      };
      const { result, record } = await recorded(
        session,
        path,
        ({ engine }) => decodeProblems(engine, request),
        signal,
      );
      bar.stop();
      ctx.data({ answers: result, record });
      for (const { problem, text, steps } of result) ctx.print(`problem ${problem}, ${steps} steps: ${text}`);
      ctx.print(`\n${graphsText(record)}`);
      ctx.print(`\nclass ${record.executionClass}; ${record.files.length} files recorded with their SHA-256`);
      const why = whyTimesDoNotCount(record.executionClass);
      if (why !== null) ctx.print(why);
      if (record.missing.length > 0)
        ctx.print(`a run on a device would also have shown: ${record.missing.join(', ')}`);
      ctx.note(`written to ${path}`);
    } finally {
      bar.stop();
      await chosen.model.weights.close();
    }
  },
});
