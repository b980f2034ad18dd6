import type { HardwareProfile } from '../../../sim/hardware/schema.js';
import {
  BODY_MIB,
  BUFFER_MIB,
  PAGE_US,
  PAGES_PER_MIB,
  residentInBuffersMib,
  STAGING_MIB,
} from './buffers.js';

/** What a MiB that is charged can cost, us. */
export type CostRange = readonly [low: number, high: number];

/** A cause of staging time: what it charges for is its fingerprint over budgets, what that can cost its size. */
export interface Mechanism {
  readonly name: string;
  /** MiB that it charges for at a resident budget, MiB. */
  readonly charges: (residentMib: number) => number;
  /** Null: no figure of it is public. */
  readonly usPerMib: (chip: HardwareProfile) => CostRange | null;
  readonly source: string;
}

const MIB = 2 ** 20;
const US_PER_NS = 1e-3;
const US_PER_MS = 1000;
/** Largest weight that moves as one: an FFN matrix, 12,288 x 4,096 at 4.5 bits, MiB. */
const MATRIX_MIB = 27;

const bytes = (residentMib: number): number => BODY_MIB - residentMib;
const wholeOf = (unitMib: number) => (residentMib: number) =>
  unitMib * Math.ceil(bytes(residentMib) / unitMib);
const inBuffers = (residentMib: number): number => BODY_MIB - residentInBuffersMib(residentMib);

const scaled = ([low, high]: CostRange, by: number): CostRange => [low * by, high * by];
const sum = (ranges: readonly CostRange[]): CostRange => [
  ranges.reduce((total, [low]) => total + low, 0),
  ranges.reduce((total, [, high]) => total + high, 0),
];

/** In base units: ms, or ms/MB, which is ns a byte. */
function driverRange(chip: HardwareProfile, name: keyof HardwareProfile['driver']): CostRange {
  const value = chip.driver[name];
  return chip.provenance[`driver.${name}`].range ?? [value, value];
}

const copy = ({ cpu }: HardwareProfile): CostRange => {
  const us = (MIB / cpu.sharedCopyRate) * US_PER_NS;
  return [us, us];
};
const flush = (chip: HardwareProfile): CostRange =>
  scaled(driverRange(chip, 'cacheMaintenance'), MIB * US_PER_NS);
const map = (chip: HardwareProfile): CostRange => scaled(driverRange(chip, 'mapPerByte'), MIB * US_PER_NS);
const mapEach = (chip: HardwareProfile, unitMib: number): CostRange =>
  scaled(driverRange(chip, 'mapFixed'), US_PER_MS / unitMib);
const pages = (): CostRange => scaled(PAGE_US, PAGES_PER_MIB);
/** Nothing, or a copy that gets what a streaming NPU leaves of DRAM, each byte read and written. */
const contention = (chip: HardwareProfile): CostRange => {
  const left = chip.dram.achievableRate - chip.npu.dmaBulkRate;
  return [0, Math.max(0, (2 * MIB * US_PER_NS) / left - copy(chip)[0])];
};
const published = (chip: HardwareProfile): CostRange => sum([copy(chip), flush(chip), map(chip)]);

const COPY = "one thread's copy into a shared buffer, measured (nntrainer)";
const PAGE = 'assumed: no figure of these phones is public';
const MAP = 'range of the profile, assumed';

/** Residents fill whole buffers; what does not fit is copied, flushed, mapped and touched for the first time. */
export const IN_WHOLE_BUFFERS: Mechanism = {
  name: 'whole buffers, the rest faulted in',
  charges: inBuffers,
  usPerMib: (chip) => sum([published(chip), pages()]),
  source: PAGE,
};

/**
 * Every cause that was thought of. A buffer that is mapped anew is mapped as soon as it lacks a byte; in whole buffers means that
 * residents fill buffers of 1 GiB, and everything else is staged.
 */
export const MECHANISMS: readonly Mechanism[] = [
  { name: 'synchronous copies', charges: bytes, usPerMib: copy, source: COPY },
  { name: 'cache maintenance', charges: bytes, usPerMib: flush, source: 'range of the profile, measured' },
  { name: 'page faults', charges: bytes, usPerMib: pages, source: PAGE },
  {
    name: 'DRAM contention',
    charges: bytes,
    usPerMib: contention,
    source: 'from none to a copy that gets what a streaming NPU leaves',
  },
  { name: 'map and unmap, by the byte', charges: bytes, usPerMib: map, source: MAP },
  {
    name: 'these five together',
    charges: bytes,
    usPerMib: (chip) => sum([published(chip), pages(), contention(chip)]),
    source: 'sum of the five',
  },
  {
    name: 'map and unmap, by the matrix',
    charges: wholeOf(MATRIX_MIB),
    usPerMib: (chip) => mapEach(chip, MATRIX_MIB),
    source: MAP,
  },
  {
    name: 'slots of 256 MiB, filled whole',
    charges: wholeOf(STAGING_MIB),
    usPerMib: published,
    source: 'copy, flush and map: the sum of theirs',
  },
  {
    name: 'buffers of 1 GiB, mapped anew',
    charges: wholeOf(BUFFER_MIB),
    usPerMib: pages,
    source: PAGE,
  },
  {
    name: 'whole buffers, the rest copied',
    charges: inBuffers,
    usPerMib: published,
    source: 'copy, flush and map',
  },
  IN_WHOLE_BUFFERS,
  {
    name: 'whole buffers, the rest laid out anew',
    charges: inBuffers,
    usPerMib: () => null,
    source: 'llama.cpp lays a weight out anew when it is set; no figure of these phones is public',
  },
  {
    name: 'a constant per forward',
    charges: () => BODY_MIB,
    usPerMib: (chip) => scaled(driverRange(chip, 'remoteCall'), US_PER_MS / BODY_MIB),
    source: 'a remote call, range of the profile',
  },
];
