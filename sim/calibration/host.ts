import type { HardwareProfile } from '../hardware/schema.js';
import type { SoftwareStack } from '../stacks/stack.js';
import type { FittedNumber, UnfittedNumber } from './calibrate.js';
import { fitLine, fitRatio } from './line.js';

/** What the host waited for beyond the accelerator in one pass. */
export interface HostSample {
  readonly us: number;
  /** Dispatches of the pass, and bytes that it shares with the accelerator. */
  readonly dispatches: number;
  readonly bytes: number;
}

export interface PartialFit {
  readonly numbers: readonly FittedNumber[];
  readonly kept: readonly UnfittedNumber[];
}

const LARGEST_ERROR = 0.1;
/** Clocks of two timers agree to about this. */
const SMALLEST_ERROR = 0.001;

/**
 * Cost of a call from what it takes when nothing is shared, and of the upkeep of shared memory from how it grows with
 * the bytes. A runtime's own work on the host is in the former.
 */
export function fitHost(
  samples: readonly HostSample[],
  base: HardwareProfile,
  stack: SoftwareStack,
): PartialFit {
  const call = stack.dispatch === 'remote-call' ? 'driver.remoteCall' : 'driver.queueBatch';
  const upkeep = 'driver.cacheMaintenance';
  const points = samples.map(({ us, dispatches, bytes }) => ({
    x: bytes / dispatches / 1e6,
    y: us / dispatches / 1000,
  }));
  const line = fitLine(points);
  if (line === null) {
    const because = 'host and accelerator were not timed together in passes of different size';
    return { numbers: [], kept: [call, upkeep].map((path) => ({ path, because })) };
  }
  return collect(base, [
    { path: call, value: line.intercept, error: line.interceptError, n: line.n },
    { path: upkeep, value: line.slope, error: line.slopeError, n: line.n },
  ]);
}

/** Clock of the NPU from times and cycles of the same thing. */
export function fitClock(
  clocked: readonly { readonly us: number; readonly cycles: number }[],
  base: HardwareProfile,
): PartialFit {
  const path = 'npu.clock';
  const fit = fitRatio(clocked.map(({ us, cycles }) => ({ x: us * 1000, y: cycles })));
  if (fit === null) {
    return { numbers: [], kept: [{ path, because: 'nothing has both a time and cycles' }] };
  }
  const error = Math.max(SMALLEST_ERROR, fit.error) * fit.slope;
  return collect(base, [{ path, value: fit.slope, error, n: fit.n }]);
}

interface Estimate {
  readonly path: string;
  readonly value: number;
  /** Absolute. */
  readonly error: number;
  readonly n: number;
}

function collect(base: HardwareProfile, estimates: readonly Estimate[]): PartialFit {
  const numbers: FittedNumber[] = [];
  const kept: UnfittedNumber[] = [];
  for (const { path, value, error, n } of estimates) {
    const relative = error / Math.abs(value);
    if (value > 0 && relative <= LARGEST_ERROR) {
      numbers.push({ path, before: base.provenance[path].value, value, error: relative, n });
    } else {
      const because =
        value > 0
          ? `its standard error would be ${(100 * relative).toPrecision(2)} %`
          : 'it comes out below 0';
      kept.push({ path, because });
    }
  }
  return { numbers, kept };
}
