import { energyOf } from '../../../sim/energy/energy.js';
import type { Machine } from '../../../sim/machine/machine.js';
import type { StepTiming } from '../../../src/decode/method/timer.js';
import { resolvePreset } from '../../../src/model/presets.js';
import type { StepPlan } from '../../../src/pass/pass.js';
import { PREFIX_SET } from '../../../src/pass/shape.js';
import { openChip, openMachine } from '../../lab/open.js';
import { type ChipSetup, chipSchema } from '../../lab/setup.js';
import { bitsOf, type Cell, FORMATS } from './grid.js';

/** Rates that stream weights, and room for them: fewer bits a weight are priced as more bytes of four-bit ones. */
const STREAMS = [
  'npu.dmaRate',
  'npu.dmaBulkRate',
  'npu.dmaRateBesideMatrix',
  'npu.dmaBulkRateBesideMatrix',
  'npu.dmaBypassRate',
  'npu.dmaBypassRateBesideMatrix',
  'npu.dmaQueuesRate',
  'npu.directReadRate',
  'dram.peakRate',
  'dram.achievableRate',
  'cpu.readRate',
  'cpu.readRateBesideNpu',
  'cpu.sharedCopyRate',
  'gpu.readRate',
  'window.bytes',
  'window.maxMap',
] as const;

/** Rates are in bytes, clocks in cycles, per nanosecond. */
const NS = 1e-6;

/** What one answer costs. */
export interface Price {
  readonly seconds: number;
  readonly joules: number;
  /** GiB that were mapped again or copied into staging slots, over the answer. */
  readonly swappedGib: number;
}

/** The chip of a cell; where a format runs in no stack, with rates that make up for the bytes that it saves. */
export function chipOf({ soc, stack: { stack }, format, pruning }: Omit<Cell, 'technique'>): ChipSetup {
  const base = FORMATS.find(({ priced, quant }) => !priced && quant === format.quant) ?? format;
  const factor = bitsOf(base, false) / bitsOf(format, pruning.twoOfFour);
  const { profile } = openChip({ profile: soc, stack, numbers: {} });
  const numbers =
    factor === 1
      ? {}
      : Object.fromEntries(STREAMS.map((name) => [`profile.${name}`, scaled(profile, name, factor)]));
  return chipSchema.parse({ profile: soc, stack, quant: format.quant, numbers });
}

function scaled(profile: ReturnType<typeof openChip>['profile'], name: string, factor: number): number {
  const [part, number] = name.split('.') as [keyof typeof profile, string];
  return (profile[part] as unknown as Record<string, number>)[number] * factor;
}

/** A machine of a cell, with the FFN that its pruning leaves. */
export function machineOf(cell: Omit<Cell, 'technique'>): Machine {
  const chip = chipOf(cell);
  const model = resolvePreset(chip.costModel);
  const { ffn } = cell.pruning;
  return openMachine(chip, ffn === 1 ? {} : { shapes: { ...model, ffn: model.ffn * ffn } });
}

/** Times recorded plans. */
export function priceOf(machine: Machine, soc: string, stack: string, plans: readonly StepPlan[]): Price {
  machine.reset();
  const timings = plans.map((plan) => machine.time(plan));
  return priced(timings, soc, stack);
}

function priced(timings: readonly StepTiming[], soc: string, stack: string): Price {
  const { profile } = openChip({ profile: soc, stack, numbers: {} });
  const moved = timings.reduce((sum, { counters }) => sum + counters.mappedBytes + counters.stagedBytes, 0);
  return {
    seconds: (timings.at(-1)?.endMs ?? 0) / 1000,
    joules: energyOf(timings, profile).joules,
    swappedGib: moved / 2 ** 30,
  };
}

/** Tokens whose time is measured in an autoregressive answer: its passes grow slowly. */
const SAMPLES = 8;

/** An autoregressive answer of Llama-3-8B: the prompt in one pass, then one token a pass. */
export function autoregressive(
  soc: string,
  stack: string,
  quant: ChipSetup['quant'],
  promptTokens: number,
  tokens: number,
): Price {
  const machine = openMachine(chipSchema.parse({ profile: soc, stack, quant, costModel: 'llama-3-8b' }));
  const pass = (rows: number, prefix: number) => ({
    rows,
    kvSets: prefix > 0 ? [{ name: PREFIX_SET, length: prefix }] : [],
    logitsRows: 1,
    masked: false,
  });
  machine.timePass(pass(1, promptTokens));
  machine.reset();
  const prompt = priced([machine.timePass(pass(promptTokens, 0))], soc, stack);
  const each = tokens / SAMPLES;
  let sum = prompt;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const timing = machine.timePass(pass(1, Math.round(promptTokens + (sample + 0.5) * each)));
    const own = priced([timing], soc, stack);
    sum = {
      seconds: sum.seconds + (each * (timing.endMs - timing.startMs)) / 1000,
      joules: sum.joules + each * own.joules,
      swappedGib: sum.swappedGib + each * own.swappedGib,
    };
  }
  return sum;
}

/**
 * What a perfect NPU runtime would take for a pass: every weight once from DRAM at the achievable rate, or every product on the matrix
 * unit at its peak, whichever is longer; nothing else.
 */
export function rooflineMs(soc: string, rows: number): number {
  const { profile } = openChip({ profile: soc, stack: 'qnn', numbers: {} });
  const { layers, hidden, heads, kvHeads, headDim, ffn, vocab } = resolvePreset('llada-8b');
  const attention = hidden * headDim * (2 * heads + 2 * kvHeads);
  const weights = layers * (attention + 3 * hidden * ffn) + vocab * hidden;
  const bits = bitsOf(FORMATS[1], false);
  const stream = (weights * bits) / 8 / profile.dram.achievableRate;
  const { matrixMacsPerCycle, clock, matrixTile } = profile.npu;
  const products = (weights * Math.ceil(rows / matrixTile) * matrixTile) / (matrixMacsPerCycle * clock);
  return Math.max(stream, products) * NS;
}
