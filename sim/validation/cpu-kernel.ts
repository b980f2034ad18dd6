import type { ModelConfig } from '../../src/model/config.js';
import { precisionFor, type Quant } from '../../src/model/precision.js';
import { resolvePreset } from '../../src/model/presets.js';
import type { PassShape } from '../../src/pass/shape.js';
import { movedBytes, reachedExperts, rowBytes } from '../kernel/lowered.js';
import type { KernelSpec } from '../kernel/spec.js';
import { cpuMs, effectiveThreads, elementBytesPerMs } from '../machine/cpu-model.js';
import { rowsTogether } from '../machine/lower/index.js';
import type { PartName } from '../machine/parts.js';
import { ratesOf } from '../machine/rates.js';
import { type Chip, machine } from '../open-machine.js';
import { bareModel } from './reading/bare-model.js';
import { NotModelled } from './reading/refusal.js';

/** ms of one operator on the CPU or the GPU: the operator's part of a model of one layer that contains it. */
export function cpuKernelMs(spec: KernelSpec, chip: Chip, quant: Quant): number {
  const place = chip.stack.placement === 'all-cpu' ? 'CPU' : 'GPU';
  if (spec.kind === 'layer-products') {
    const { hidden, ffn, heads, kvHeads, headDim } = resolvePreset(spec.model);
    const [q, kv] = [heads * headDim, kvHeads * headDim];
    const widths = [
      [hidden, q],
      [hidden, kv],
      [hidden, kv],
      [q, hidden],
      [hidden, ffn],
      [hidden, ffn],
      [ffn, hidden],
    ];
    const times = widths.map(([inWidth, outWidth]) =>
      productMs(spec.rows, inWidth, outWidth, chip, quant, place),
    );
    return times.reduce((sum, ms) => sum + ms, 0) / times.length;
  }
  if (spec.kind === 'product') {
    return spec.outWidths.reduce(
      (sum, width) => sum + productMs(spec.rows, spec.inWidth, width, chip, quant, place),
      0,
    );
  }
  if (spec.kind === 'attention') {
    const { rows, keys, heads, kvHeads, headDim } = spec;
    const model = bareModel('kernel', {
      layers: 1,
      hidden: heads * headDim,
      ffn: 32,
      heads,
      kvHeads,
      headDim,
    });
    return partMs(model, rows, Math.max(0, keys - rows), chip, quant, `${place} attention`);
  }
  if (spec.kind === 'routed-product') {
    const reached = reachedExperts(spec);
    const rowsEach = Math.max(1, Math.ceil((spec.rows * spec.expertsPerToken) / reached));
    return reached * productMs(rowsEach, spec.inWidth, spec.outWidth, chip, quant, place);
  }
  return streamMs(streamedBytes(spec), spec.rows, chip);
}

/** Operands and result of an operator that computes little: F32 on CPU and GPU, where its name says no format. */
function streamedBytes(spec: Extract<KernelSpec, { kind: 'rows' | 'conv' | 'concat' }>): number {
  if (spec.kind !== 'rows') return F32_BYTES * spec.channels * (2 * spec.rows + spec.taps - 1);
  return movedBytes(spec, rowBytes(spec, F32_BYTES));
}

const F32_BYTES = 4;

/** Time of a stream of bytes, as the element-wise operators of a model: at the rate of cores or of DRAM, and a launch or a barrier. */
function streamMs(bytes: number, rows: number, { profile, stack }: Chip): number {
  const { numbers } = stack;
  if (stack.placement !== 'all-cpu') return bytes / (profile.gpu.readRate * 1e6) + profile.gpu.kernelLaunch;
  const threads = Math.min(numbers.cpuThreads, profile.cpu.primeCores + profile.cpu.midCores);
  const singleThreadMs =
    bytes / elementBytesPerMs(profile) / rowsTogether(rows, numbers) / numbers.cpuSustained;
  const { cpuBytesPerMs } = ratesOf(profile, false, stack.weightStream);
  const shared = effectiveThreads(profile, threads, stack.threadShares);
  return cpuMs({ singleThreadMs, bytes }, shared, cpuBytesPerMs) + numbers.cpuBarrierMs;
}

function productMs(
  rows: number,
  inWidth: number,
  outWidth: number,
  chip: Chip,
  quant: Quant,
  place: 'CPU' | 'GPU',
): number {
  const sizes = { layers: 1, hidden: inWidth, ffn: outWidth, heads: 1, kvHeads: 1, headDim: 32 };
  const model = bareModel('kernel', sizes);
  return partMs(model, rows, 0, chip, quant, `${place} gate`);
}

function partMs(
  model: ModelConfig,
  rows: number,
  cached: number,
  chip: Chip,
  quant: Quant,
  part: PartName,
): number {
  const timed = machine({ ...chip, shapes: model, quant: precisionFor(quant), memory: 'unlimited' });
  const kvSets = cached > 0 ? [{ name: 'prefix', length: cached }] : [];
  const shape: PassShape = { rows, kvSets, logitsRows: rows, masked: false };
  timed.timePass(shape);
  const found = timed.stepBreakdown().parts.find(({ name }) => name === part);
  if (found === undefined) throw new NotModelled(`${chip.stack.name} has no ${part}`);
  return found.ms;
}
