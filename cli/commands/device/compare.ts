import { basename, join } from 'node:path';
import { createColors } from 'picocolors';
import { z } from 'zod';
import { compareDevice } from '../../../experiments/device/compare-device.js';
import { openProblems } from '../../../experiments/lab/problems.js';
import * as text from '../../../hw/compare/markdown.js';
import type { CompareReport } from '../../../hw/compare/report.js';
import { readDeviceRecord } from '../../../hw/record/device-record.js';
import { CheckError } from '../../../src/errors.js';
import { atomicWriteFile } from '../../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../../src/util/check-writable.js';
import { defineCommand } from '../../command.js';
import { device, deviceEffects, LIBRARIES_NOTE, openDevice } from '../../device-options.js';
import { gitCommit } from '../../git-commit.js';
import { chip, outDirectory, path, problems } from '../../groups.js';
import type { Context } from '../../io.js';
import { progressBar } from '../../progress.js';

/** Lines of a table that a terminal still shows at once. */
const SHOWN_STATES = 40;

export const command = defineCommand({
  options: {
    ...device,
    nearTie: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe('logits below which a decision may turn (default: f32 0.001, f16 0.25, w8a16 and w4a16 1)')
      .meta({ value: 'margin' }),
    ...problems,
    policy: problems.policy.default('block-kv'),
    genLength: problems.genLength.default(32),
    record: path('run record of class npu-device whose times stand beside the simulated ones'),
    profile: chip.profile,
    stack: z
      .string()
      .min(1)
      .optional()
      .describe('stack that is simulated (default: qnn-fp16, or qnn for w8a16 and w4a16)'),
    memory: chip.memory,
    out: outDirectory('results/device-compare/latest', 'where compare.json, compare.md and record.json go'),
  },
  effects: deviceEffects,
  notes:
    `${LIBRARIES_NOTE} Every scored pass of the reference is computed by both; then each` +
    '\ndecodes on its own. Times are compared only with those of a device: emulation and CPUs are refused with the reason,' +
    '\nand simulated numbers never fill in. Exits with 1 when a decision differs that was no near-tie.',
  examples: [
    'device compare',
    'device compare --backend qnn-cpu --n 4',
    'device compare --backend htp --numerics f16 --soc-model 69 --json',
    'device compare --record phone/record.json --profile sm8750',
  ],
  async run(ctx, asked) {
    const { out, cases: n, firstCase: firstIndex, seed, record } = asked;
    checkWritableDirectory(out);
    const timed = record === undefined ? null : { name: basename(record), record: readDeviceRecord(record) };
    const chosen = await openProblems(asked);
    const bar = progressBar(ctx, 'problems');
    try {
      const found = await compareDevice(await openDevice(ctx, chosen, asked), {
        ...asked,
        ...chosen,
        timed,
        range: { n, firstIndex, seed },
        gitCommit: gitCommit(),
        recordPath: join(out, 'record.json'),
        signal: ctx.signal,
        onProgress: (done, total) => bar.update(done, total),
      }).finally(() => bar.stop());
      atomicWriteFile(join(out, 'compare.json'), `${JSON.stringify(found, null, 1)}\n`);
      atomicWriteFile(join(out, 'compare.md'), text.compareMarkdown(found));
      ctx.data(found);
      print(ctx, found);
      ctx.note(`written to ${out}: compare.json, compare.md, record.json`);
      if (!found.verdict.agrees) throw new CheckError(`the device differs: ${found.verdict.reasons[0]}`);
    } finally {
      await chosen.model.weights.close();
    }
  },
});

function print(ctx: Context, found: CompareReport): void {
  const { bold } = createColors(ctx.color);
  ctx.print(`${found.device.engine} beside ${found.reference} and ${found.times.machine} (simulated)\n`);
  ctx.print(`${text.terminalTable(text.agreementTable(found), bold)}\n`);
  const states = text.stateTable(found);
  ctx.print(text.terminalTable({ ...states, rows: states.rows.slice(0, SHOWN_STATES) }, bold));
  const more = states.rows.length - SHOWN_STATES;
  ctx.print(more > 0 ? `and ${more} more, see compare.md\n` : '');
  ctx.print(`${text.terminalTable(text.operatorTable(found), bold)}\n`);
  for (const sentence of text.sentences(found)) ctx.print(sentence);
}
