import type { ResourceName } from '../../src/decode/method/timer.js';

/** Resources that execute tasks of an operator on the NPU, by index in programs. */
export const NPU_UNITS = ['matrix', 'vector', 'dma', 'l2'] as const satisfies readonly ResourceName[];
export type NpuUnit = 0 | 1 | 2 | 3;
export const MATRIX = 0;
export const VECTOR = 1;
export const DMA = 2;
export const L2 = 3;

/** Something for each unit, by index. */
export type PerUnit = readonly [number, number, number, number];

export function noBusy(): Record<ResourceName, number> {
  return { matrix: 0, vector: 0, dma: 0, l2: 0, cpu: 0, gpu: 0, driver: 0, dram: 0 };
}
