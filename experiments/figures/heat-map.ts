import type { TopLevelSpec } from 'vega-lite';
import { HOUSE_STYLE, PAGE_WIDTH } from './style.js';

export interface BusyStep {
  readonly step: number;
  /** Busy share of each resource in this step, 0 to 1. */
  readonly busy: Readonly<Record<string, number>>;
}

/** Busy share by resource and step; pale is idle, dark is busy, also in grey. */
export function utilizationMap(
  steps: readonly BusyStep[],
  resources: readonly string[],
  title: string,
): TopLevelSpec {
  const values = steps.flatMap(({ step, busy }) =>
    resources.map((resource) => ({
      resource,
      step,
      next: step + 1,
      busy: Math.round((busy[resource] ?? 0) * 1000) / 1000,
    })),
  );
  return {
    ...HOUSE_STYLE,
    title,
    width: PAGE_WIDTH - 150,
    height: { step: 20 },
    data: { values },
    mark: { type: 'rect' },
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        scale: { domain: [0, steps.length], nice: false },
        axis: { title: 'step', grid: false, tickMinStep: 1 },
      },
      x2: { field: 'next' },
      y: {
        field: 'resource',
        type: 'nominal',
        sort: null,
        axis: { title: null, ticks: false, domain: false },
      },
      color: {
        field: 'busy',
        type: 'quantitative',
        // One hue from white to dark: lightness alone carries the value.
        scale: { domain: [0, 1], range: ['#F7FBFF', '#9ECAE1', '#3182BD', '#08306B'], interpolate: 'lab' },
        legend: { title: 'busy', format: '.0%', gradientLength: 90, values: [0, 0.5, 1] },
      },
    },
  };
}
