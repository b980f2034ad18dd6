import type { ResourceName } from '../../src/decode/method/timer.js';
import { blockOf } from '../../src/model/dtype.js';
import { resolvePreset } from '../../src/model/presets.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { Kernel, LowerContext } from '../machine/kernel.js';
import { lowerProduct } from '../machine/lower/any-product.js';
import { attentionKernel } from '../machine/lower/attention.js';
import { ROW_COSTS } from '../machine/lower/htp/row-costs.js';
import { rowsKernel } from '../machine/lower/htp/rows.js';
import type { RowOperator } from '../machine/lower/row-operator.js';
import { streamedKernel } from '../machine/lower/streamed.js';
import { F16_BYTES } from '../machine/lower/tensors.js';
import { timeAlone } from '../machine/npu-unit.js';
import { ratesOf } from '../machine/rates.js';
import { NPU_UNITS } from '../machine/resources.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { type KernelHints, parseKernel } from './parse.js';
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
 * Times one operator on the NPU of a chip, whatever its stack would place there.
 * @param spec an operator, or its name as `parseKernel` takes it
 * @param hints what a table says outside the name
 * @throws UsageError as `parseKernel`, or when the operator does not fit the on-chip memory
 */
export function timeKernel(
  spec: KernelSpec | string,
  chip: KernelChip,
  hints: KernelHints = {},
): KernelTiming {
  const parsed = typeof spec === 'string' ? parseKernel(spec, hints) : spec;
  if (parsed.kind === 'layer-products') return meanOf(parsed, chip);
  const { profile, stack } = chip;
  const context: LowerContext = { profile, stack, rates: ratesOf(profile, false, stack.weightStream) };
  const { kernels, operators, activationBytes } = lowered(parsed, context);
  const busyMs = { matrix: 0, vector: 0, dma: 0, l2: 0 };
  let runMs = 0;
  for (const kernel of kernels) {
    const timed = timeAlone(kernel);
    runMs += timed.ms;
    NPU_UNITS.forEach((unit, at) => {
      busyMs[unit] += timed.busyMs[at];
    });
  }
  const { remoteCall, queueBatch, cacheMaintenance } = profile.driver;
  const startMs = operators * stack.numbers.opStartMs;
  const parts: KernelPart[] = [
    { name: 'on the device', ms: runMs },
    { name: 'operator start', ms: startMs },
    { name: 'dispatch', ms: stack.dispatch === 'remote-call' ? remoteCall : queueBatch },
    { name: 'cache maintenance', ms: (activationBytes / 1e6) * cacheMaintenance },
  ];
  return {
    spec: parsed,
    deviceMs: runMs + startMs,
    callMs: parts.reduce((sum, { ms }) => sum + ms, 0),
    parts,
    busyMs,
    bound: NPU_UNITS.reduce((most, unit) => (busyMs[unit] > busyMs[most] ? unit : most)),
  };
}

interface Lowered {
  readonly kernels: readonly Kernel[];
  readonly operators: number;
  /** Bytes that host and NPU share around the call. */
  readonly activationBytes: number;
}

type Single = Exclude<KernelSpec, { kind: 'layer-products' }>;

function lowered(spec: Single, context: LowerContext): Lowered {
  const each = context.stack.activations === 'f32' ? 4 : 2;
  switch (spec.kind) {
    case 'product': {
      const { rows, inWidth, outWidths, adds } = spec;
      // Fused products share their input, and their outputs are as one.
      const out = outWidths.reduce((sum, width) => sum + width, 0);
      const kernel = product(rows, inWidth, out, spec.weights, context, adds);
      return { kernels: [kernel], operators: 1, activationBytes: rows * (inWidth + out) * each };
    }
    case 'routed-product': {
      const { rows, inWidth, outWidth, experts, expertsPerToken } = spec;
      const reached = Math.ceil(experts * (1 - (1 - expertsPerToken / experts) ** rows));
      const rowsEach = Math.max(1, Math.ceil((rows * expertsPerToken) / reached));
      const one = product(rowsEach, inWidth, outWidth, spec.weights, context);
      return {
        kernels: new Array<Kernel>(reached).fill(one),
        operators: 1,
        activationBytes: rows * (inWidth + expertsPerToken * outWidth) * each,
      };
    }
    case 'attention': {
      const kernel = attentionKernel(
        { ...spec, owner: 'attention', inputBytes: each, outputBytes: each, kvBytes: 2, writesCache: false },
        context,
      );
      const activationBytes = 2 * spec.rows * spec.heads * spec.headDim * each;
      return { kernels: [kernel], operators: 1, activationBytes };
    }
    case 'rows': {
      const { rows, width, operator } = spec;
      const outputBytes = operator === 'SET_ROWS' ? F16_BYTES : each;
      const kernel =
        context.stack.kernelLoops === 'htp'
          ? rowsKernel({ ...spec, inputBytes: each, outputBytes }, context)
          : spreadKernel(spec, each, outputBytes, context);
      const activationBytes = rows * width * (ROW_COSTS[operator].inputs * each + outputBytes);
      return { kernels: [kernel], operators: 1, activationBytes };
    }
  }
}

/** A row operator of a stack that spreads elements over its threads. */
function spreadKernel(
  { rows, width, operator }: Extract<Single, { kind: 'rows' }>,
  inputBytes: number,
  outputBytes: number,
  context: LowerContext,
): Kernel {
  const elements = rows * width;
  const { inputs } = ROW_COSTS[operator];
  const opsEach = SPREAD_OPS[operator](context.stack.numbers);
  const [read, written] = [inputs * elements * inputBytes, elements * outputBytes];
  return streamedKernel({ opsEach, read, written, elements, macs: 0 }, context);
}

function product(
  rows: number,
  inWidth: number,
  outWidth: number,
  weights: Extract<Single, { kind: 'product' }>['weights'],
  context: LowerContext,
  adds = false,
): Kernel {
  const { stack } = context;
  const { bytes, elements } = blockOf(weights);
  const layout =
    weights === 'q4_0' ? stack.numbers.q4Layout : weights === 'q8_0' ? stack.numbers.q8Layout : 1;
  const each = stack.activationsIn === 'tcm' ? 0 : stack.activations === 'f32' ? 4 : 2;
  return lowerProduct(
    {
      owner: 'product',
      rows,
      inWidth,
      outWidth,
      bytesPerWeight: (bytes / elements) * layout,
      packed: weights !== 'f16' && stack.weightDecode === 'vector',
      inputBytes: each,
      // What is added is read on the way out.
      outputBytes: adds ? 2 * each : each,
    },
    context,
  );
}

type Numbers = SoftwareStack['numbers'];

/** Vector instructions per register of result, where elements are spread over all threads. */
const SPREAD_OPS: Readonly<Record<RowOperator, (numbers: Numbers) => number>> = {
  RMS_NORM: ({ normOps }) => normOps,
  'RMS_NORM+MUL': ({ normOps, addOps }) => normOps + addOps,
  NORM: ({ normOps, addOps }) => normOps + 2 * addOps,
  ADD: ({ addOps }) => addOps,
  MUL: ({ addOps }) => addOps,
  SCALE: ({ addOps }) => addOps,
  SWIGLU: ({ swigluOps }) => swigluOps,
  GEGLU: ({ swigluOps }) => swigluOps,
  GELU: ({ swigluOps }) => swigluOps,
  SILU: ({ swigluOps }) => swigluOps,
  ROPE: ({ ropeOps }) => ropeOps,
  SOFT_MAX: ({ swigluOps }) => swigluOps,
  SET_ROWS: ({ addOps }) => addOps,
  GET_ROWS: ({ addOps }) => addOps,
  CPY: ({ addOps }) => addOps,
};

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
