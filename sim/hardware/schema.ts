import { z } from 'zod';
import { type Quantity, quantity } from './quantity.js';

/** Version of the profile file format. */
export const PROFILE_SCHEMA = 'dllm-npu/hardware-profile@1';

/**
 * A system on chip, as far as the machine model looks at it. Hardware and driver only: what software does with
 * it is a `SoftwareStack`.
 */
const fields = z.strictObject({
  schema: z.literal(PROFILE_SCHEMA),
  name: z.string().regex(/^[a-z0-9.-]+$/),
  soc: z.string(),
  npuArch: z.string(),
  description: z.string(),
  npu: z.strictObject({
    clock: quantity('frequency').describe("clock of the NPU's core"),
    vectorThreads: quantity('count').describe('vector (HVX) contexts that work at the same time'),
    vectorLanes: quantity('count').describe('FP16 lanes of one vector register'),
    matrixMacsPerCycle: quantity('count').describe('FP16 multiply-accumulates of the matrix unit per cycle'),
    matrixTile: quantity('count').describe(
      'rows and columns of one matrix tile: rows are padded to a multiple',
    ),
    dequantWeightsPerCycle: quantity('count').describe(
      '4-bit weights one vector thread turns into tile-ordered FP16 per cycle',
    ),
    convertElementsPerCycle: quantity('count').describe(
      'FP16 elements one vector thread brings into or out of tile order per cycle',
    ),
    exponentialOps: quantity('count').describe('vector instructions of one FP16 exponential over a register'),
    exponentialShareOfAttention: quantity('fraction').describe(
      'share of the exponential in the vector work of attention',
    ),
    tcm: quantity('bytes').describe('on-chip memory of the matrix unit and the DMA'),
    dmaRate: quantity('rate').describe(
      'DMA between DRAM and TCM by one queue through the cache that a hand-written kernel feeds tile by tile, matrix unit idle',
    ),
    dmaBulkRate: quantity('rate').describe(
      'DMA of a compiled graph, which lays weights out as long regular streams, matrix unit idle',
    ),
    dmaRateBesideMatrix: quantity('rate').describe('one queue through the cache while the matrix unit works'),
    dmaBulkRateBesideMatrix: quantity('rate').describe(
      'that of a compiled graph while the matrix unit works',
    ),
    dmaBypassRate: quantity('rate').describe(
      'DMA by one hand-fed queue past the cache, inside an application, matrix unit idle',
    ),
    dmaBypassRateBesideMatrix: quantity('rate').describe(
      'that queue past the cache while the matrix unit works',
    ),
    dmaQueuesRate: quantity('rate').describe(
      'DMA by a queue past the cache for every vector thread, together, inside an application',
    ),
    dmaLatency: quantity('time').describe('fixed cost of one transfer'),
    dmaMaxTransfer: quantity('bytes').describe('longest transfer of one descriptor'),
    directReadRate: quantity('rate').describe('vector threads reading DRAM through L2'),
  }),
  dram: z.strictObject({
    peakRate: quantity('rate').describe('width of the memory times its clock'),
    achievableRate: quantity('rate').describe('most that all readers together get'),
  }),
  cpu: z.strictObject({
    primeCores: quantity('count').describe('cores of the fastest group'),
    midCores: quantity('count').describe(
      'cores of the groups below it that run at more than half its speed; efficiency cores are left out',
    ),
    gemvQ4Rate: quantity('rate').describe(
      'weight bytes per second of a 4-bit matrix-vector product on `gemvCores` prime cores',
    ),
    gemvQ8Rate: quantity('rate').describe(
      'weight bytes per second of an 8-bit matrix-vector product on `gemvCores` prime cores',
    ),
    gemvCores: quantity('count').describe('prime cores those two were measured on'),
    midCoreShare: quantity('fraction').describe('throughput of a mid core in that kernel, prime core = 1'),
    readRate: quantity('rate').describe('all cores reading DRAM, NPU idle'),
    readRateBesideNpu: quantity('rate').describe('all cores reading DRAM while the NPU streams weights'),
    sharedCopyRate: quantity('rate').describe(
      'one core copying into a buffer shared with the NPU (payload bytes)',
    ),
  }),
  gpu: z.strictObject({
    readRate: quantity('rate').describe('DRAM rate of the GPU alone'),
    macsPerNs: quantity('count').describe('FP16 multiply-accumulates of a matrix product per ns'),
    kernelLaunch: quantity('time').describe('start of one kernel'),
    finish: quantity('time').describe('wait for the queue to drain, once a pass'),
  }),
  driver: z.strictObject({
    remoteCall: quantity('time').describe('Host to NPU remote call and back'),
    queueBatch: quantity('time').describe('Host cost of one batch on the shared-memory queue'),
    cacheMaintenance: quantity('timePerByte').describe('flush or invalidate of a shared buffer'),
    mapFixed: quantity('time').describe('fixed cost of unmapping one buffer and mapping another'),
    mapPerByte: quantity('timePerByte').describe('part of it that grows with the buffer'),
  }),
  window: z.strictObject({
    bytes: quantity('bytes').describe('NPU virtual addresses one session can map'),
    alignment: quantity('bytes').describe('what an address of a mapping is a multiple of'),
    mapperEntries: quantity('count').describe('buffers that can be mapped at the same time'),
    maxMap: quantity('bytes').describe('largest single mapping'),
  }),
});

/** The fields, and what must hold between them. */
export const profileSchema = fields.superRefine(({ npu, dram, cpu }, context) => {
  const atMost = (path: [string, string], part: Quantity, whole: Quantity, of: string): void => {
    if (part.value <= whole.value) return;
    context.addIssue({ code: 'custom', path, message: `"${part.text}" is more than ${of} (${whole.text})` });
  };
  atMost(['dram', 'achievableRate'], dram.achievableRate, dram.peakRate, 'dram.peakRate');
  const { dmaBulkRate, dmaBulkRateBesideMatrix, dmaBypassRate, dmaBypassRateBesideMatrix } = npu;
  atMost(['npu', 'dmaBulkRateBesideMatrix'], dmaBulkRateBesideMatrix, dmaBulkRate, 'npu.dmaBulkRate');
  atMost(['npu', 'dmaBypassRateBesideMatrix'], dmaBypassRateBesideMatrix, dmaBypassRate, 'npu.dmaBypassRate');
  atMost(['npu', 'dmaRateBesideMatrix'], npu.dmaRateBesideMatrix, npu.dmaRate, 'npu.dmaRate');
  atMost(['cpu', 'readRateBesideNpu'], cpu.readRateBesideNpu, cpu.readRate, 'cpu.readRate');
});

type Plain<T> = T extends Quantity ? number : T extends object ? { readonly [K in keyof T]: Plain<T[K]> } : T;

type ParsedProfile = z.infer<typeof profileSchema>;

/** A profile as plain numbers: bytes, ms, GB/s, GHz, ms per MB (10^6 bytes). */
export type HardwareNumbers = Plain<Omit<ParsedProfile, 'schema'>>;

/** A profile with the provenance of each number, keyed by path, e.g. `npu.dmaRate`. */
export interface HardwareProfile extends HardwareNumbers {
  /** Every number with its unit, source and kind, by name. */
  readonly provenance: Readonly<Record<string, Quantity>>;
}

/** Sections of a profile that hold numbers. */
export const SECTIONS = ['npu', 'dram', 'cpu', 'gpu', 'driver', 'window'] as const;

/** What a number of a profile is, by its name, e.g. `npu.dmaRate`. */
export const PROFILE_DEFINITIONS: Readonly<Record<string, string>> = Object.fromEntries(
  SECTIONS.flatMap((section) =>
    Object.entries(fields.shape[section].shape).map(([field, { description = '' }]) => [
      `${section}.${field}`,
      description,
    ]),
  ),
);

/** Splits a parsed file into plain numbers and provenance. */
export function toProfile(parsed: ParsedProfile): HardwareProfile {
  const provenance: Record<string, Quantity> = {};
  for (const section of SECTIONS) {
    for (const [field, entry] of Object.entries(parsed[section])) provenance[`${section}.${field}`] = entry;
  }
  const numbers = {
    name: parsed.name,
    soc: parsed.soc,
    npuArch: parsed.npuArch,
    description: parsed.description,
    npu: plain(parsed.npu),
    dram: plain(parsed.dram),
    cpu: plain(parsed.cpu),
    gpu: plain(parsed.gpu),
    driver: plain(parsed.driver),
    window: plain(parsed.window),
  };
  return { ...numbers, provenance };
}

function plain<K extends string>(section: Readonly<Record<K, Quantity>>): Record<K, number> {
  const result = {} as Record<K, number>;
  for (const field of Object.keys(section) as K[]) result[field] = section[field].value;
  return result;
}
