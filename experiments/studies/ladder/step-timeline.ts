import type { Timeline as MachineTimeline } from '../../../sim/machine/timeline.js';
import { TRACKS } from '../../../sim/machine/timeline.js';
import type { Timeline } from './types.js';

/** The spans of one step, with times since its start. Lanes without work are left out. */
export function stepTimeline(
  timeline: MachineTimeline,
  step: number,
  names: { readonly row: string; readonly prompt: number },
): Timeline {
  const found = timeline.steps.find((s) => s.step === step);
  if (found === undefined) throw new Error(`step ${step} was not recorded`);
  const { startMs, endMs } = found;
  const durationMs = endMs - startMs;
  const spans = timeline.spans
    // Side work of an earlier step may run on into this one.
    .filter((span) => span.endMs > startMs && span.startMs < endMs)
    .map((span) => ({
      lane: span.track,
      name: span.name,
      group: span.category,
      layer: span.layer,
      startMs: Math.max(0, span.startMs - startMs),
      endMs: Math.min(durationMs, span.endMs - startMs),
      busyShare: Math.min(1, span.busyMs / (span.endMs - span.startMs)),
      bytes: span.bytes,
    }));
  const lanes = TRACKS.filter((track) => spans.some((span) => span.lane === track));
  return { ...names, step, durationMs, lanes: [...lanes], spans };
}
