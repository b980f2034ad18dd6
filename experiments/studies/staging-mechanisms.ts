import { rowsOf } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { curves } from '../figures/curves.js';
import { paperTable } from '../paper/numbers.js';
import { fitScale, natsBehind, sizesAsGood, sizesTried } from './staging/fit.js';
import { MECHANISMS } from './staging/mechanisms.js';

/** A thousand times less likely than the best shape: excluded. */
const EXCLUDED_NATS = Math.log(1000);

type Verdict = 'shape and size' | 'shape' | 'size' | 'not excluded';

/** What speaks against a mechanism: its fingerprint, or that it cannot cost as much as it would have to. */
function verdict(nats: number, usPerMib: number, low: number | null, high: number | null): Verdict {
  const shape = nats > EXCLUDED_NATS;
  const size = low !== null && high !== null && (usPerMib < low || usPerMib > high);
  if (shape && size) return 'shape and size';
  if (shape) return 'shape';
  return size ? 'size' : 'not excluded';
}

/** Fingerprints that are drawn: one of each shape. */
const DRAWN = [
  { at: 0, title: 'by the byte' },
  { at: 7, title: 'by the slot of 256 MiB' },
  { at: 8, title: 'buffers of 1 GiB mapped anew' },
  { at: 10, title: 'residents in whole buffers' },
] as const;

export const stagingMechanisms = defineStudy({
  name: 'staging-mechanisms',
  title: 'Which mechanism Figure 13c shows: fingerprints across its 13 budgets',
  paper: 'fig13c',
  runs: 'arithmetic on the published points: each mechanism has one scale, set by least squares; nothing of it enters the machine',
  workload: null,
  stacks: ['llada.cpp'],
  measure: ({ hardware }) => {
    const { resident_mb, staging_ms } = paperTable('fig13c').columns;
    const resident = resident_mb.map(Number);
    const published = staging_ms.map(Number);
    const found = MECHANISMS.map(({ charges }) => fitScale(resident.map(charges), published));
    const costs = MECHANISMS.map(({ usPerMib }) => usPerMib(hardware));
    const tried = sizesTried(resident, published);
    const asGood = sizesAsGood(tried);
    return {
      resident_mib: resident,
      published_ms: published,
      mechanism: MECHANISMS.map(({ name }) => name),
      source: MECHANISMS.map(({ source }) => source),
      needs_us_per_mib: found.map(({ usPerMib }) => usPerMib),
      can_low_us_per_mib: costs.map((range) => range?.[0] ?? null),
      can_high_us_per_mib: costs.map((range) => range?.[1] ?? null),
      left_over_ms: found.map(({ rmsMs }) => rmsMs),
      /** Budgets of one mechanism after another. */
      fitted_ms: found.flatMap(({ ms }) => ms),
      sizes_tried: tried.length,
      sizes_as_good: asGood.length,
      least_buffer_mib: Math.min(...asGood.map(({ bufferMib }) => bufferMib)),
      most_buffer_mib: Math.max(...asGood.map(({ bufferMib }) => bufferMib)),
      least_staging_mib: Math.min(...asGood.map(({ stagingMib }) => stagingMib)),
      most_staging_mib: Math.max(...asGood.map(({ stagingMib }) => stagingMib)),
    };
  },
  derive: ({
    left_over_ms,
    needs_us_per_mib,
    can_low_us_per_mib,
    can_high_us_per_mib,
    published_ms,
    sizes_tried,
  }) => {
    const best = Math.min(...left_over_ms);
    const nats = left_over_ms.map((rms) => natsBehind(rms, best, published_ms.length));
    return {
      behind_nats: nats,
      excluded_by: nats.map((each, i) =>
        verdict(each, needs_us_per_mib[i], can_low_us_per_mib[i], can_high_us_per_mib[i]),
      ),
      chance_nats: Math.log(sizes_tried),
    };
  },
  formulas: {
    behind_nats:
      '13 budgets x ln(left_over_ms / the least of them): how much less likely than the best shape',
    excluded_by:
      'shape: behind_nats over ln 1000; size: needs_us_per_mib outside can_low_us_per_mib to can_high_us_per_mib',
    chance_nats: 'ln sizes_tried: what choosing the best of that many sizes could be worth',
  },
  compare: (ours) => [
    ...series(ours.mechanism, (name) => `${name}: left over`, {
      unit: 'ms rms',
      ours: ours.left_over_ms,
      kind: 'calibrated',
    }),
    ...series(ours.mechanism, (name) => `${name}: behind the best shape`, {
      unit: 'nats',
      ours: ours.behind_nats,
      kind: 'calibrated',
    }),
    {
      name: 'pairs of buffer and staging size that were tried',
      unit: '',
      ours: ours.sizes_tried,
      paper: null,
      kind: 'ordering',
    },
    {
      name: 'of those as good as 1 GiB with 256 MiB, or better',
      unit: '',
      ours: ours.sizes_as_good,
      paper: null,
      kind: 'ordering',
    },
    {
      name: 'what choosing among them could be worth',
      unit: 'nats',
      ours: ours.chance_nats,
      paper: null,
      kind: 'ordering',
    },
  ],
  table: (ours) =>
    rowsOf({
      mechanism: ours.mechanism,
      left_over_ms: ours.left_over_ms,
      behind_nats: ours.behind_nats,
      needs_us_per_mib: ours.needs_us_per_mib,
      low: ours.can_low_us_per_mib,
      high: ours.can_high_us_per_mib,
      excluded_by: ours.excluded_by,
    }),
  notes: [
    'left_over_ms: what one scale, fitted, leaves over 13 budgets. behind_nats: how much less likely than the best shape; over 6.9 it is excluded by its shape. needs_us_per_mib lies outside what it can cost, low to high: excluded by its size.',
    'The points say how much is staged: the whole body but what fits into whole buffers of 1 GiB, where the staging of 256 MiB takes room in one of them. One scale then leaves 15 ms at 13 budgets. 1 GiB is what llama.cpp allocates at most, 256 MiB the staging budget that the figure names; of all other sizes tried none leaves less. Every mechanism that charges by the byte, the matrix or the slot is excluded by its shape, whatever it costs.',
    'They do not say why a MiB costs 485 us. Copying, flushing and mapping it costs 80 to 200 by what is published; 1.1 to 1.6 us for each page of it, or laying weights out anew, would fill the gap, and nothing here tells the two apart. Mapping alone is not it: in Figure 5d a spike, which may be a whole buffer, takes 28 ms.',
    'The shape was found by looking at these points, so they are no test of it. It predicts others: equal times at all budgets from 1,025 to 1,791 MiB, and at 3,328 what 3,072 takes. The machine is as it was: its SOMR places single matrices, at published costs.',
  ],
  figure: (ours, paper) =>
    curves(
      DRAWN.map(({ at, title }) => ({
        title,
        x: { title: 'resident weights, MiB', values: [0, 1024, 2048, 3072] },
        y: { title: 'synchronous staging, ms', reaches: [0, 2000] },
        series: [
          { source: 'paper' as const, mark: 'points' as const, x: ours.resident_mib, y: paper.staging_ms },
          {
            source: 'here' as const,
            mark: 'line' as const,
            x: ours.resident_mib,
            y: ours.resident_mib.map((_, i) => ours.fitted_ms[at * ours.resident_mib.length + i]),
          },
        ],
      })),
    ),
});
