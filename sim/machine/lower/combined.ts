import type { Kernel } from '../kernel.js';

/** Operators of the stack that stand for one of the graph, one after the other. */
export function combined(kernels: readonly Kernel[]): Kernel {
  const sum = (value: (kernel: Kernel) => number): number =>
    kernels.reduce((total, kernel) => total + value(kernel), 0);
  return {
    pipelines: kernels.flatMap(({ pipelines, repeats }) => new Array(repeats).fill(pipelines).flat()),
    repeats: 1,
    dmaBytes: sum(({ dmaBytes }) => dmaBytes),
    l2Bytes: sum(({ l2Bytes }) => l2Bytes),
    matrixMacs: sum(({ matrixMacs }) => matrixMacs),
    tcmPeakBytes: Math.max(...kernels.map(({ tcmPeakBytes }) => tcmPeakBytes)),
  };
}
