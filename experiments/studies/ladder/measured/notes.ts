import type { MeasuredDevice } from './decodes.js';

/** What a reader of the measured ladder has to know, from what was measured. */
export function measuredNotes(
  devices: readonly MeasuredDevice[],
  mostReferenceParams: number | null,
): string[] {
  const onlyCpu = devices.every(({ record }) => record.executionClass === 'ggml-cpu');
  const fell = devices.flatMap(({ name, record }) => {
    const { operators = 0, onCpu = {} } = record.evidence.ggml ?? {};
    const counts = Object.entries(onCpu).map(([op, count]) => `${count} ${op}`);
    return counts.length === 0 ? [] : [`${name}: of ${operators} operators the CPU ran ${counts.join(', ')}`];
  });
  return [
    ...(onlyCpu
      ? [
          'everything ran on the CPU: rows named NPU measure the method there, and their ratio sets a CPU beside a simulated NPU',
        ]
      : []),
    'ggml places its memory itself: rows that differ in the memory mode alone share one measurement',
    'refresh passes, which the simulated chip runs on its CPU beside the NPU, ran one after the other on the device',
    'simulated times are of the passes that ran; f32 and bf16 weights are timed as f16, which an NPU has',
    ...fell,
    ...(mostReferenceParams === null
      ? []
      : [
          `tokens were not compared with the f32 reference: it runs for models of up to ${mostReferenceParams / 1e6} million parameters; \`device compare --backend ggml\` compares any`,
        ]),
  ];
}
