import { createColors } from 'picocolors';
import { z } from 'zod';
import { NET_RUN_PROFILES, PROFILING_LEVELS } from '../../../../hw/choices.js';
import { openTrace } from '../../../../hw/qnn/open-trace.js';
import { type ReplayResult, replay } from '../../../../hw/qnn/replay.js';
import { QairtSdk } from '../../../../hw/qnn/tools-sdk.js';
import { writeDeviceRecord } from '../../../../hw/record/device-record.js';
import { classText } from '../../../../hw/record/record-text.js';
import { createTfjsEngine } from '../../../../src/engine/tfjs/engine.js';
import { CheckError } from '../../../../src/errors.js';
import { checkWritableFile } from '../../../../src/util/check-writable.js';
import { table } from '../../../../src/util/table.js';
import { defineCommand } from '../../../command.js';
import { openPhone, target, targetEffects } from '../../../device-target.js';
import { path } from '../../../groups.js';
import type { Context } from '../../../io.js';
import { progressBar } from '../../../progress.js';
import { recordedModel, tracePath } from '../../../recorded-trace.js';

export const command = defineCommand({
  arguments: { trace: tracePath },
  options: {
    model: recordedModel,
    graphs: z.string().min(1).describe('compiled graphs: a .bin or .dlc per bucket').meta({ value: 'dir' }),
    backend: z
      .enum(['cpu', 'htp'])
      .default('htp')
      .describe("with --runner local: cpu (QNN's reference code) or htp (its emulation of the NPU)"),
    nearTie: z
      .number()
      .min(0)
      .max(100)
      .default(0.25)
      .describe('logits below which a decision may turn')
      .meta({ value: 'margin' }),
    profiling: z
      .enum(['off', ...PROFILING_LEVELS])
      .default('detailed')
      .describe('what the tool records of every execution')
      .meta({ value: 'level' }),
    perf: z.enum(NET_RUN_PROFILES).optional().describe('how the NPU is clocked').meta({ value: 'profile' }),
    record: path('write the run record here'),
    ...target,
  },
  effects: [
    ...targetEffects,
    {
      options: ['backend'],
      when: ({ runner }) => runner === 'local',
      because: 'a phone always uses its NPU',
    },
  ],
  notes:
    'Open loop: every pass gets the tokens, K and V of the reference, so an error never reaches the next pass, and one' +
    '\nprocess runs them all (a start of the tool loads the graph, seconds for a large model). Exits with 1 when a best token' +
    '\ndiffers that was no near-tie. Times are those of the accelerator only; a PC has none.',
  examples: [
    'device qnn replay t.jsonl --graphs graphs --record phone.json',
    'device qnn replay t.jsonl --graphs graphs --runner local --backend cpu',
  ],
  async run(ctx, asked) {
    checkWritableFile(asked.record);
    const sdk = QairtSdk.at(ctx.io.env.QAIRT_ROOT);
    const phone = asked.runner === 'local' ? null : await openPhone(ctx, asked);
    const { trace, model } = await openTrace(asked.trace, asked.model);
    const reference = await createTfjsEngine(model.config, model.weights);
    const bar = progressBar(ctx, 'passes of the reference');
    const { graphs, backend, nearTie, profiling, perf } = asked;
    try {
      const result = await replay({
        trace,
        reference,
        weightsPath: model.weightsPath,
        graphs,
        sdk,
        phone,
        backend,
        nearTie,
        timeoutMs: asked.timeout * 1000,
        profilingLevel: profiling === 'off' ? undefined : profiling,
        perfProfile: perf,
        transfer: { signal: ctx.signal },
        onProgress: (done, total) => bar.update(done, total),
      }).finally(() => bar.stop());
      if (asked.record !== undefined) writeDeviceRecord(asked.record, result.record);
      report(ctx, result);
    } finally {
      reference.dispose();
      await model.weights.close();
    }
  },
});

function report(ctx: Context, { buckets, agreement, record }: ReplayResult): void {
  ctx.data({ buckets: buckets.map(({ differences: _, ...rest }) => rest), agreement, record });
  ctx.print(
    table(
      [
        'pass',
        'kind',
        'bucket',
        '> rows',
        '> same best\ntoken',
        '> KL\nmax',
        '> accelerator\nus',
        '> kcycles',
      ],
      buckets.flatMap(({ bucket, passes }) =>
        passes.map(({ passId, kind, rows, agreement: of, profile }) => [
          passId,
          kind,
          bucket,
          String(rows),
          of === null ? '-' : `${of.sameBest}/${of.rows}`,
          of === null ? '-' : of.klMax.toExponential(1),
          profile?.acceleratorUs == null ? '-' : String(profile.acceleratorUs),
          profile?.acceleratorCycles == null ? '-' : (profile.acceleratorCycles / 1000).toFixed(1),
        ]),
      ),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  for (const { bucket, untimed } of buckets) {
    if (untimed !== null) ctx.print(`${bucket}: no times of the accelerator (${untimed})`);
  }
  const { rows, sameBest, nearTies, maxLogitError, differentBeyondNearTies } = agreement;
  ctx.print(
    `\n${sameBest} of ${rows} best tokens are those of the reference (${nearTies} near-ties), largest logit error ${maxLogitError.toExponential(2)}`,
  );
  ctx.print(classText(record));
  if (differentBeyondNearTies > 0) {
    throw new CheckError(`${differentBeyondNearTies} best tokens differ that were no near-ties`);
  }
}
