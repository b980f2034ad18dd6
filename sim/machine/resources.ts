/**
 * What can be busy. `l2` is the path on which vector threads read DRAM without DMA; `cpu` is the average over
 * all cores; `dram` is bytes moved over the rate all readers together can get.
 */
export const RESOURCES = ['matrix', 'vector', 'dma', 'l2', 'cpu', 'gpu', 'driver', 'dram'] as const;
export type ResourceName = (typeof RESOURCES)[number];

/** Resources that execute tasks of an operator on the NPU, by index in programs. */
export const NPU_UNITS = ['matrix', 'vector', 'dma', 'l2'] as const;
export type NpuUnit = 0 | 1 | 2 | 3;
export const MATRIX = 0;
export const VECTOR = 1;
export const DMA = 2;
export const L2 = 3;

export type BusyMs = Record<ResourceName, number>;

export function noBusy(): BusyMs {
  return { matrix: 0, vector: 0, dma: 0, l2: 0, cpu: 0, gpu: 0, driver: 0, dram: 0 };
}
