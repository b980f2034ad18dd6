import { z } from 'zod';
import { machineIntervals } from '../../../sim/interval/of-runs.js';
import { timeTrace } from '../../../sim/workload/time-trace.js';
import { readTrace, replayTrace } from '../../../src/decode/trace/trace.js';
import { checkWritableFile } from '../../../src/util/check-writable.js';
import { defineCommand } from '../../command.js';
import { ENERGY_NOTE, twoDigits } from '../../energy-note.js';
import { chipEffects, timedChip } from '../../groups.js';
import { heldNote, intervalText } from '../../interval-text.js';
import { openTimedMachine } from '../../timed-machine.js';
import { perfetto, writeTimeline } from '../../timeline-file.js';

export const command = defineCommand({
  arguments: { file: z.string().describe('trace (JSON Lines), see `generate --trace`') },
  options: { perfetto, ...timedChip },
  effects: chipEffects,
  notes: 'The decisions stay those of the trace, the shapes are those of --cost-model.',
  examples: [
    'simulate trace run.jsonl --memory on-demand',
    'simulate trace run.jsonl --cost-model dream-7b --json',
  ],
  async run(ctx, { file, perfetto: timelineFile, ...chip }) {
    checkWritableFile(timelineFile);
    const trace = readTrace(file);
    const machine = await openTimedMachine(chip);
    const { totalMs, utilization, divergesAt, steps, energy } = timeTrace(trace, machine);
    const { intervals, held } = machineIntervals(
      machine,
      [{ ms: totalMs, further: [] }],
      (drawn) => [timeTrace(trace, drawn).totalMs],
      ctx.signal,
    );
    const [{ low, high }] = intervals.map((each) => ({ low: each.low / 1000, high: each.high / 1000 }));
    const { policy, model, timer, genLength } = trace.header;
    const perTokenJ = energy.joules / genLength;
    const perTokenRangeJ = energy.range.map((end) => end / genLength);
    ctx.data({
      trace: { file, policy: policy.name, model: model.name, timer },
      machine: machine.name,
      totalS: totalMs / 1000,
      low,
      high,
      intervals: held,
      utilization,
      divergesAt,
      steps,
      energy: { ...energy, perTokenJ, perTokenRangeJ },
      perfetto: await writeTimeline(timelineFile, chip, (recording) => void replayTrace(trace, recording)),
    });
    ctx.print(`${policy.name}, decided by ${model.name}, timed on ${machine.name}: simulated`);
    ctx.print(
      `${steps.length} steps in ${(totalMs / 1000).toFixed(2)} s, ${(totalMs / steps.length).toFixed(1)} ms each; ${intervalText({ low, high }, 2)} s in its 80 % interval`,
    );
    const busy = Object.entries(utilization).flatMap(([name, share]) =>
      share > 0 ? [`${name} ${(share * 100).toFixed(0)} %`] : [],
    );
    ctx.print(`busy: ${busy.join(', ')}`);
    ctx.print(
      `${twoDigits(energy.joules)} J* for the request (${energy.range.map(twoDigits).join(' to ')}), ` +
        `${twoDigits(perTokenJ)} J* a token (${perTokenRangeJ.map(twoDigits).join(' to ')})\n${ENERGY_NOTE}`,
    );
    ctx.print(heldNote(held));
    if (divergesAt !== null) {
      ctx.print(
        `From step ${divergesAt} on, other CPU refreshes would be finished here: a live decode could go another way.`,
      );
    }
  },
});
