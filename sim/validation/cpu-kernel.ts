import type { ModelConfig } from '../../src/model/config.js';
import { LLAMA } from '../../src/model/families/llama.js';
import { precisionFor, type Quant } from '../../src/model/precision.js';
import { resolvePreset } from '../../src/model/presets.js';
import type { PassShape } from '../../src/pass/shape.js';
import type { KernelSpec } from '../kernel/spec.js';
import type { PartName } from '../machine/parts.js';
import { type Chip, machine } from '../open-machine.js';
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
    const model = oneLayer({ hidden: heads * headDim, ffn: 32, heads, kvHeads, headDim });
    return partMs(model, rows, Math.max(0, keys - rows), chip, quant, `${place} attention`);
  }
  throw new NotModelled(`an operator on rows is not timed on the ${place}`);
}

function productMs(
  rows: number,
  inWidth: number,
  outWidth: number,
  chip: Chip,
  quant: Quant,
  place: 'CPU' | 'GPU',
): number {
  const model = oneLayer({ hidden: inWidth, ffn: outWidth, heads: 1, kvHeads: 1, headDim: 32 });
  return partMs(model, rows, 0, chip, quant, `${place} gate`);
}

function oneLayer(sizes: Pick<ModelConfig, 'hidden' | 'ffn' | 'heads' | 'kvHeads' | 'headDim'>): ModelConfig {
  return {
    name: 'kernel',
    arch: LLAMA.name,
    layers: 1,
    vocab: 32,
    ropeTheta: 1e4,
    rmsEps: 1e-5,
    qkvBias: false,
    qkNorm: false,
    tiedHead: true,
    shiftLogits: false,
    attention: 'bidirectional',
    contextLength: 4096,
    maskId: null,
    bosId: null,
    endIds: [0],
    ...sizes,
  };
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
