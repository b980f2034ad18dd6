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
    clock: quantity('frequency'),
    /** Vector (HVX) contexts that work at the same time. */
    vectorThreads: quantity('count'),
    /** FP16 lanes of one vector register. */
    vectorLanes: quantity('count'),
    /** FP16 multiply-accumulates of the matrix unit per cycle. */
    matrixMacsPerCycle: quantity('count'),
    /** Rows and columns of one matrix tile: rows are padded to a multiple. */
    matrixTile: quantity('count'),
    /** 4-bit weights one vector thread turns into tile-ordered FP16 per cycle. */
    dequantWeightsPerCycle: quantity('count'),
    /** FP16 elements one vector thread brings into or out of tile order per cycle. */
    convertElementsPerCycle: quantity('count'),
    /** Vector instructions of one FP16 exponential over a register. */
    exponentialOps: quantity('count'),
    /** Share of the exponential in the vector work of attention. */
    exponentialShareOfAttention: quantity('fraction'),
    tcm: quantity('bytes'),
    /** DMA between DRAM and TCM by one queue that hand-written kernels feed tile by tile, matrix unit idle. */
    dmaRate: quantity('rate'),
    /** What a compiled graph gets, which lays weights out as long regular streams. */
    dmaBulkRate: quantity('rate'),
    /** The two while the matrix unit works. */
    dmaRateBesideMatrix: quantity('rate'),
    dmaBulkRateBesideMatrix: quantity('rate'),
    /** One hand-fed queue whose descriptors go past the processor's cache, and the same while the matrix unit works. */
    dmaBypassRate: quantity('rate'),
    dmaBypassRateBesideMatrix: quantity('rate'),
    /** A queue of that kind for every vector thread, together. */
    dmaQueuesRate: quantity('rate'),
    /** Fixed cost of one transfer. */
    dmaLatency: quantity('time'),
    /** Longest transfer of one descriptor. */
    dmaMaxTransfer: quantity('bytes'),
    /** Vector threads reading DRAM through L2. */
    directReadRate: quantity('rate'),
  }),
  dram: z.strictObject({
    peakRate: quantity('rate'),
    /** Most that all readers together get. */
    achievableRate: quantity('rate'),
  }),
  cpu: z.strictObject({
    primeCores: quantity('count'),
    midCores: quantity('count'),
    /** Weight bytes per second of a 4-bit matrix-vector product on `gemvCores` prime cores. */
    gemvQ4Rate: quantity('rate'),
    /** The same for 8-bit weights. */
    gemvQ8Rate: quantity('rate'),
    gemvCores: quantity('count'),
    /** Throughput of a mid core in that kernel, prime core = 1. */
    midCoreShare: quantity('fraction'),
    /** All cores reading DRAM, NPU idle. */
    readRate: quantity('rate'),
    /** The same while the NPU streams weights. */
    readRateBesideNpu: quantity('rate'),
    /** One core copying into a buffer shared with the NPU (payload bytes). */
    sharedCopyRate: quantity('rate'),
  }),
  gpu: z.strictObject({
    /** DRAM rate of the GPU alone. */
    readRate: quantity('rate'),
    /** FP16 multiply-accumulates of a matrix product per ns. */
    macsPerNs: quantity('count'),
    /** Start of one kernel. */
    kernelLaunch: quantity('time'),
    /** Wait for the queue to drain, once a pass. */
    finish: quantity('time'),
  }),
  driver: z.strictObject({
    /** Host to NPU remote call and back. */
    remoteCall: quantity('time'),
    /** Host cost of one batch on the shared-memory queue. */
    queueBatch: quantity('time'),
    /** Flush or invalidate of a shared buffer. */
    cacheMaintenance: quantity('timePerByte'),
    /** Fixed cost of unmapping one buffer and mapping another. */
    mapFixed: quantity('time'),
    /** Part of it that grows with the buffer. */
    mapPerByte: quantity('timePerByte'),
  }),
  window: z.strictObject({
    /** NPU virtual addresses one session can map. */
    bytes: quantity('bytes'),
    alignment: quantity('bytes'),
    /** Buffers that can be mapped at the same time. */
    mapperEntries: quantity('count'),
    /** Largest single mapping. */
    maxMap: quantity('bytes'),
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
