import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { curves } from '../figures/curves.js';
import { paperTable } from '../paper/numbers.js';
import { BODY_MIB, PAGES_PER_MIB, wholeBuffersMib } from './staging/buffers.js';

/** Largest weight that moves as one: an FFN matrix, 12,288 x 4,096 at 4.5 bits, MiB. */
const MATRIX_MIB = 27;
/** Staging budget of the figure, MiB. */
const SLOT_MIB = 256;

/** A mechanism by its fingerprint: MiB that it charges for a resident budget. */
const MECHANISMS = [
  {
    name: 'bytes that are not resident (copies, cache maintenance, page faults, DRAM contention)',
    charges: (resident: number) => BODY_MIB - resident,
  },
  {
    name: 'whole matrices (a map and unmap for each)',
    charges: (resident: number) => MATRIX_MIB * Math.ceil((BODY_MIB - resident) / MATRIX_MIB),
  },
  {
    name: 'whole staging slots of 256 MiB',
    charges: (resident: number) => SLOT_MIB * Math.ceil((BODY_MIB - resident) / SLOT_MIB),
  },
  {
    name: 'whole buffers of 1 GiB (a buffer that lacks a byte is mapped anew)',
    charges: wholeBuffersMib,
  },
  { name: 'a constant per forward', charges: () => BODY_MIB },
] as const;

/** One scale for all budgets, by least squares, and what is left. */
function scaled(charges: readonly number[], ms: readonly number[]): { scale: number; rmsMs: number } {
  const product = charges.reduce((sum, value, i) => sum + value * ms[i], 0);
  const scale = product / charges.reduce((sum, value) => sum + value * value, 0);
  const squares = charges.reduce((sum, value, i) => sum + (scale * value - ms[i]) ** 2, 0);
  return { scale, rmsMs: Math.sqrt(squares / ms.length) };
}

const MS_PER_NS = 1e-6;
const MIB = 2 ** 20;

export const stagingMechanisms = defineStudy({
  name: 'staging-mechanisms',
  title: 'Which mechanism Figure 13c shows: fingerprints across its 13 budgets',
  paper: 'fig13c',
  runs: 'arithmetic on the published points: each mechanism has one scale, set by least squares; nothing of it enters the machine',
  workload: null,
  stacks: ['llada.cpp'],
  measure: (bench) => {
    const { resident_mb, staging_ms } = paperTable('fig13c').columns;
    const resident = resident_mb.map(Number);
    const published = staging_ms.map(Number);
    const found = MECHANISMS.map(({ charges }) => scaled(resident.map(charges), published));
    const { driver, cpu } = bench.hardware;
    const perMib = (perByte: number): number => perByte * MIB * MS_PER_NS * 1000;
    return {
      resident_mib: resident,
      mechanism: MECHANISMS.map(({ name }) => name),
      scale_us_per_mib: found.map(({ scale }) => 1000 * scale),
      rms_ms: found.map(({ rmsMs }) => rmsMs),
      buffers_ms: resident.map((mib) => found[3].scale * MECHANISMS[3].charges(mib)),
      bytes_ms: resident.map((mib) => found[0].scale * MECHANISMS[0].charges(mib)),
      /** What the machine charges for a MiB today: copy, cache maintenance, mapping. */
      own_us_per_mib: perMib(1 / cpu.sharedCopyRate + driver.cacheMaintenance + driver.mapPerByte),
    };
  },
  derive: ({ scale_us_per_mib, own_us_per_mib }) => ({
    missing_us_per_mib: scale_us_per_mib.map((scale) => scale - own_us_per_mib),
    page_us: scale_us_per_mib.map((scale) => scale / PAGES_PER_MIB),
  }),
  formulas: {
    missing_us_per_mib: 'scale_us_per_mib - own_us_per_mib',
    page_us: 'scale_us_per_mib / 256 pages of 4 KiB',
  },
  compare: (ours) => [
    ...series(ours.mechanism, (name) => `${name}: left over`, {
      unit: 'ms rms',
      ours: ours.rms_ms,
      kind: 'calibrated',
    }),
    ...series(ours.mechanism, (name) => `${name}: scale`, {
      unit: 'us/MiB',
      ours: ours.scale_us_per_mib,
      kind: 'calibrated',
    }),
    {
      name: 'copy, cache maintenance and mapping in the machine',
      unit: 'us/MiB',
      ours: ours.own_us_per_mib,
      paper: null,
      kind: 'predicted',
    },
    {
      name: 'missing, with whole buffers',
      unit: 'us/MiB',
      ours: ours.missing_us_per_mib[3],
      paper: null,
      kind: 'calibrated',
    },
    {
      name: 'whole buffers, per page of 4 KiB',
      unit: 'us',
      ours: ours.page_us[3],
      paper: null,
      kind: 'calibrated',
    },
  ],
  notes: [
    'The points lie on steps about 1 GiB apart. Mechanisms that charge by the byte, the matrix or the slot leave twice what whole buffers of 1 GiB leave: a budget that cannot hold a buffer pays for all of it. llama.cpp allocates in buffers of at most 1 GiB.',
    'The height of a step is the cost of mapping a buffer page by page, several times what copying, flushing and mapping a byte cost in the machine. No public measurement of that cost on these phones is known here, so the machine has no number for it: Figure 13c stays missed, by its unit of staging (SOMR here stages single matrices) and by this cost. What an assumed range of it gives stands in `reproduce fig13c`.',
    'Every scale is fitted to the figure: the shape is evidence, the scale is not. Figure 13a has its sign from the price of a second tile, which staging does not touch.',
  ],
  figure: (ours, paper) =>
    curves([
      {
        title: 'Synchronous staging, each scale fitted to the figure',
        x: { title: 'resident weights, MiB' },
        y: { title: 'synchronous staging of a step, ms' },
        series: [
          { source: 'paper', mark: 'points', x: ours.resident_mib, y: paper.staging_ms },
          { source: 'here', label: 'whole buffers', x: ours.resident_mib, y: ours.buffers_ms },
          { source: 'guide', label: 'by bytes', x: ours.resident_mib, y: ours.bytes_ms },
        ],
      },
    ]),
});
