import type { HardwareProfile } from '../hardware/schema.js';
import type { SoftwareStack } from '../stacks/stack.js';
import type { Pipeline } from './pipeline.js';
import type { Rates } from './rates.js';
import type { PerUnit } from './resources.js';

/** What an operator on the NPU amounts to before it is scheduled. */
export interface Kernel {
  /** One after the other, all of them `repeats` times. */
  readonly pipelines: readonly Pipeline[];
  readonly repeats: number;
  /** Bytes moved by DMA and by direct reads and writes. */
  readonly dmaBytes: number;
  readonly l2Bytes: number;
  /** Multiply-accumulates the matrix unit performs, padding included. */
  readonly matrixMacs: number;
  readonly tcmPeakBytes: number;
}

/** A timed operator on the NPU, starting on idle units. */
export interface TimedKernel extends Kernel {
  readonly ms: number;
  readonly busyMs: PerUnit;
}

/** Everything lowering looks at. */
export interface LowerContext {
  readonly profile: HardwareProfile;
  readonly stack: SoftwareStack;
  readonly rates: Rates;
}
