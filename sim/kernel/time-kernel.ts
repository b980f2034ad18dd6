import type { ResourceName } from '../../src/decode/method/timer.js';
import { resolvePreset } from '../../src/model/presets.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { LowerContext } from '../machine/kernel.js';
import { timeAlone } from '../machine/npu-unit.js';
import { ratesOf } from '../machine/rates.js';
import { NPU_UNITS } from '../machine/resources.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { activationBytes, activationElement, loweredKernel } from './lowered.js';
import { parseKernel } from './parse.js';
import { checkHasNpu } from './placed.js';
import type { KernelHints } from './said.js';
import type { KernelSpec } from './spec.js';

/** A part of the time of an operator; parts add up to `callMs`. */
export interface KernelPart {
  readonly name: 'on the device' | 'operator start' | 'dispatch' | 'cache maintenance';
  readonly ms: number;
}

/** One operator, timed alone. */
export interface KernelTiming {
  readonly spec: KernelSpec;
  /** Inside the operator, as traces of the device show it. */
  readonly deviceMs: number;
  /** Seen by the host that calls it and waits: the device's time and the host's dispatch. */
  readonly callMs: number;
  readonly parts: readonly KernelPart[];
  /** Busy time of each unit while the operator runs, in ms. */
  readonly busyMs: Readonly<Record<(typeof NPU_UNITS)[number], number>>;
  /** The unit that is busy longest. */
  readonly bound: ResourceName;
}

/** A chip with its software. */
export interface KernelChip {
  readonly profile: HardwareProfile;
  readonly stack: SoftwareStack;
}

/**
 * Times one operator on the NPU of a chip, whether the stack of that date would place it there or not (`checkOnNpu`).
 * @param spec an operator, or its name as `parseKernel` takes it
 * @param hints what a table says outside the name
 * @throws UsageError as `parseKernel`, for a stack without an NPU, or when it does not fit the on-chip memory
 */
export function timeKernel(
  spec: KernelSpec | string,
  chip: KernelChip,
  hints: KernelHints = {},
): KernelTiming {
  const parsed = typeof spec === 'string' ? parseKernel(spec, hints) : spec;
  if (parsed.kind === 'layer-products') return meanOf(parsed, chip);
  const { profile, stack } = chip;
  checkHasNpu(stack);
  const context: LowerContext = { profile, stack, rates: ratesOf(profile, false, stack.weightStream) };
  const kernel = loweredKernel(parsed, context);
  const timed = timeAlone(kernel, context.rates);
  const [matrix, vector, dma, l2] = timed.busyMs;
  const busyMs = { matrix, vector, dma, l2 };
  const { remoteCall, queueBatch, cacheMaintenance } = profile.driver;
  const startMs = stack.numbers.opStartMs;
  const sharedBytes = activationBytes(parsed, activationElement(stack));
  const parts: KernelPart[] = [
    { name: 'on the device', ms: timed.ms },
    { name: 'operator start', ms: startMs },
    { name: 'dispatch', ms: stack.dispatch === 'remote-call' ? remoteCall : queueBatch },
    { name: 'cache maintenance', ms: (sharedBytes / 1e6) * cacheMaintenance },
  ];
  return {
    spec: parsed,
    deviceMs: timed.ms + startMs,
    callMs: parts.reduce((sum, { ms }) => sum + ms, 0),
    parts,
    busyMs,
    bound: NPU_UNITS.reduce((most, unit) => (busyMs[unit] > busyMs[most] ? unit : most)),
  };
}

function meanOf(spec: Extract<KernelSpec, { kind: 'layer-products' }>, chip: KernelChip): KernelTiming {
  const { hidden, ffn, heads, kvHeads, headDim } = resolvePreset(spec.model);
  const { rows, weights } = spec;
  const [q, kv] = [heads * headDim, kvHeads * headDim];
  const shapes = [
    [hidden, q],
    [hidden, kv],
    [hidden, kv],
    [q, hidden],
    [hidden, ffn],
    [hidden, ffn],
    [ffn, hidden],
  ] as const;
  const timings = shapes.map(([inWidth, outWidth]) =>
    timeKernel({ kind: 'product', rows, inWidth, outWidths: [outWidth], weights, adds: false }, chip),
  );
  const mean = (value: (timing: KernelTiming) => number): number =>
    timings.reduce((sum, timing) => sum + value(timing), 0) / timings.length;
  const busyMs = {
    matrix: mean((timing) => timing.busyMs.matrix),
    vector: mean((timing) => timing.busyMs.vector),
    dma: mean((timing) => timing.busyMs.dma),
    l2: mean((timing) => timing.busyMs.l2),
  };
  return {
    spec,
    deviceMs: mean(({ deviceMs }) => deviceMs),
    callMs: mean(({ callMs }) => callMs),
    parts: timings[0].parts.map(({ name }, at) => ({ name, ms: mean(({ parts }) => parts[at].ms) })),
    busyMs,
    bound: NPU_UNITS.reduce((most, unit) => (busyMs[unit] > busyMs[most] ? unit : most)),
  };
}
