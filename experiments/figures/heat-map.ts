import type { Figure } from './page.js';
import { HOUSE_STYLE, TEXT } from './style.js';
import { textWidth } from './text-width.js';
import { unitWords } from './words.js';

export interface BusyStep {
  readonly step: number;
  /** Busy share of each resource in this step, 0 to 1. */
  readonly busy: Readonly<Record<string, number>>;
}

/** Busy share by resource and step; pale is idle, dark is busy, also in grey; the share in percent where it has room. */
export function utilizationMap(
  steps: readonly BusyStep[],
  resources: readonly string[],
  subtitle: string,
): Figure {
  const values = steps.flatMap(({ step, busy }) =>
    resources.map((resource) => {
      const share = Math.round((busy[resource] ?? 0) * 1000) / 1000;
      return { resource: unitWords(resource), step, next: step + 1, middle: step + 0.5, busy: share };
    }),
  );
  return (page) => {
    const domain = [0, steps.length];
    const x = {
      field: 'step',
      type: 'quantitative',
      scale: { domain, nice: false },
      axis: { title: 'denoising step', grid: false, tickMinStep: 1 },
    } as const;
    const y = {
      field: 'resource',
      type: 'nominal',
      sort: null,
      axis: { title: null, ticks: false, domain: false },
    } as const;
    const numbered = page.plot / steps.length >= textWidth('100', TEXT) + 2;
    return {
      ...HOUSE_STYLE,
      title: { text: 'Busy share of each unit by step', subtitle },
      width: page.plot,
      height: { step: 14 },
      data: { values },
      layer: [
        {
          mark: { type: 'rect' },
          encoding: {
            x,
            x2: { field: 'next' },
            y,
            color: {
              field: 'busy',
              type: 'quantitative',
              // One hue from white to dark: lightness alone carries the value.
              scale: {
                domain: [0, 1],
                range: ['#F7FBFF', '#9ECAE1', '#3182BD', '#08306B'],
                interpolate: 'lab',
              },
              legend: {
                title: 'share of the step in which the unit works',
                orient: 'bottom',
                direction: 'horizontal',
                labelExpr: "format(100 * datum.value, '.0f') + ' %'",
                gradientLength: 100,
                gradientThickness: 8,
                values: [0, 0.5, 1],
              },
            },
          },
        },
        ...(numbered
          ? [
              {
                transform: [{ calculate: 'round(100 * datum.busy)', as: 'percent' }],
                mark: { type: 'text' as const },
                encoding: {
                  x: { ...x, field: 'middle' },
                  y,
                  text: { field: 'percent', type: 'quantitative' as const },
                  color: {
                    condition: { test: 'datum.busy > 0.45', value: '#FFFFFF' },
                    value: '#222222',
                  },
                },
              },
            ]
          : []),
      ],
    };
  };
}
