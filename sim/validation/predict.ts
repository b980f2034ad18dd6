import type { StepTiming } from '../../src/decode/method/timer.js';
import { UsageError } from '../../src/errors.js';
import type { WeightDType } from '../../src/model/formats/blocks/index.js';
import { precisionFor } from '../../src/model/precision.js';
import { recipePrecision } from '../../src/model/quant-recipes.js';
import { energyOf } from '../energy/energy.js';
import { movedBytes, rowBytes } from '../kernel/lowered.js';
import { parseKernel } from '../kernel/parse.js';
import type { KernelSpec } from '../kernel/spec.js';
import { timeKernel } from '../kernel/time-kernel.js';
import { type Account, addUp, lastStep } from '../machine/account.js';
import type { Machine } from '../machine/machine.js';
import { type Chip, machine, type NumberSettings, openChip } from '../open-machine.js';
import { requestTimings } from '../workload/request.js';
import { decodePass, prefillPasses, warmTimings } from '../workload/workload.js';
import { cpuKernelMs } from './cpu-kernel.js';
import type { Case } from './interpret.js';
import type { Amount } from './reading/amount.js';
import { NotModelled } from './reading/refusal.js';

/** One way in which what a row leaves open may be. Shares lie in [0, 1): where in its range a thing is. */
export interface Draw {
  readonly chip: Chip;
  readonly bytes: number;
  /** Null: the nominal length. */
  readonly lengthShare: number | null;
  /** Null: the nominal energy. */
  readonly energyShare: number | null;
  /** Times every duration: clocks that fall with heat. */
  readonly slowdown: number;
}

/** A timed row: its value in the row's unit, and what it is made of. */
export interface Predicted {
  readonly value: number;
  /** Where the time of the whole work went; null for an operator, and where nobody asked. */
  readonly account: Account | null;
  /** Parts of an operator's time, in ms; null for a model. */
  readonly kernelParts: readonly { readonly name: string; readonly ms: number }[] | null;
}

/** Everything as the row says, defaults where it says nothing. */
export function nominalDraw(wanted: Case): Draw {
  const chip = openChip({ profile: wanted.profiles[0], stack: wanted.stacks[0] });
  return { chip, bytes: wanted.bytesScale[0], lengthShare: null, energyShare: null, slowdown: 1 };
}

/**
 * @param accounted where the time went is wanted as well
 * @throws NotModelled where the operator or the quantity cannot be timed
 */
export function predict(wanted: Case, draw: Draw, accounted = false): Predicted {
  try {
    return wanted.work.kind === 'kernel' ? ofKernel(wanted, draw) : ofModel(wanted, draw, accounted);
  } catch (error) {
    if (error instanceof UsageError) throw new NotModelled(error.message.split('\n')[0]);
    throw error;
  }
}

/** Numbers of the chip that the row itself gives. */
export function settingsOf(
  { threads, passRows, polls }: Case,
  { chip, bytes }: Pick<Draw, 'chip' | 'bytes'>,
): NumberSettings {
  const { q4Layout, q8Layout } = chip.stack.numbers;
  return {
    ...(threads === null ? {} : { 'stack.cpuThreads': threads }),
    ...(passRows === null ? {} : { 'stack.prefillRows': passRows }),
    ...(polls ? { 'stack.cpuWakeMs': '0.1 ms' } : {}),
    ...(bytes === 1 ? {} : { 'stack.q4Layout': q4Layout * bytes, 'stack.q8Layout': q8Layout * bytes }),
  };
}

function at({ value, range: [low, high] }: Amount, share: number | null): number {
  if (share === null || low === high) return value;
  // Lengths spread over orders of magnitude: uniform in the logarithm.
  const floor = Math.max(1, low);
  return Math.round(floor * (Math.max(floor, high) / floor) ** share);
}

interface Timed {
  readonly ms: number;
  readonly joules: number;
  readonly bytes: number;
  readonly macs: number;
  /** What a rate counts, and what "per token" divides by. */
  readonly tokens: number;
}

function ofModel(wanted: Case, draw: Draw, accounted: boolean): Predicted {
  const { shapes, quant, headQuant: head, memory, measure } = wanted;
  if (shapes === null) throw new NotModelled('no model to time');
  const timed = machine({
    ...draw.chip,
    set: settingsOf(wanted, draw),
    shapes,
    quant:
      wanted.recipe === null
        ? precisionFor(quant, { head, embedding: head })
        : recipePrecision(wanted.recipe, shapes),
    memory,
  });
  const passes: { account: Account; times: number }[] = [];
  const seen = accounted ? (times: number) => passes.push({ account: lastStep(timed), times }) : () => 0;
  const total = workload(wanted, draw, timed, seen);
  const base = measure.net ? 0 : basePower(draw);
  const joules = total.joules + (base * total.ms) / 1000;
  const per = measure.per === 'token' ? total.tokens : 1;
  const quantities = {
    time: total.ms / per,
    rate: (total.tokens * 1000) / total.ms,
    energy: joules / per,
    power: (joules * 1000) / total.ms,
    'tokens per joule': total.tokens / joules,
    bandwidth: total.bytes / total.ms / 1e6,
    operations: (2 * total.macs) / total.ms / 1e6,
  };
  return {
    value: quantities[measure.quantity] * measure.factor,
    account: accounted ? addUp(passes) : null,
    kernelParts: null,
  };
}

/** @param seen after each pass that was timed, with how often it happens */
function workload({ work }: Case, draw: Draw, timed: Machine, seen: (times: number) => void): Timed {
  const share = draw.lengthShare;
  switch (work.kind) {
    case 'prefill': {
      const tokens = at(work.tokens, share);
      return {
        ...summed(
          warmTimings(timed, prefillPasses(timed, tokens, work.context, work.compiled), () => seen(1)),
          draw,
        ),
        tokens,
      };
    }
    case 'embed': {
      const tokens = at(work.tokens, share);
      // One vector of a text: the head of a language model is not there, and the layers are whole.
      const pass = { rows: tokens, kvSets: [], logitsRows: 1, masked: false };
      return {
        ...summed(
          warmTimings(timed, [pass], () => seen(1)),
          draw,
        ),
        tokens,
      };
    }
    case 'decode': {
      const pass = decodePass(at(work.context, share), work.sequences);
      const { ms, joules, bytes, macs } = summed(
        warmTimings(timed, [pass], () => seen(work.passes)),
        draw,
      );
      const { passes, sequences } = work;
      return {
        ms: passes * ms,
        joules: passes * joules,
        bytes: passes * bytes,
        macs: passes * macs,
        tokens: passes * sequences,
      };
    }
    case 'request': {
      const [prompt, answer] = [at(work.prompt, share), at(work.answer, share)];
      const passes = requestTimings(timed, { prompt, answer }, work.compiled, (_, times) => seen(times));
      const first = summed(passes.prompt, draw);
      const steps = passes.answer.map(({ timing, times }) => ({ times, of: summed([timing], draw) }));
      const total = (name: keyof typeof first): number =>
        steps.reduce((sum, { times, of }) => sum + times * of[name], first[name]);
      return {
        ms: total('ms'),
        joules: total('joules'),
        bytes: total('bytes'),
        macs: total('macs'),
        tokens: work.counts === 'all' ? prompt + answer : answer,
      };
    }
    case 'kernel':
      throw new NotModelled('an operator is no pass of a model');
  }
}

function summed(timings: readonly StepTiming[], draw: Draw): Omit<Timed, 'tokens'> {
  const ms = timings.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const { joules, range } = energyOf(timings, draw.chip.profile);
  const share = draw.energyShare;
  const drawn = share === null ? joules : range[0] * (range[1] / range[0]) ** share;
  const sum = (name: 'dramBytes' | 'usefulMacs'): number =>
    timings.reduce((all, { counters }) => all + counters[name], 0);
  return { ms: ms * draw.slowdown, joules: drawn, bytes: sum('dramBytes'), macs: sum('usefulMacs') };
}

/** W that a whole device takes beyond the work: screen, radio, idle chip. Assumed: a phone 1 W, a laptop 10 W. */
const BASE_POWER = { phone: { value: 1, range: [0.3, 2.5] }, laptop: { value: 10, range: [4, 25] } } as const;

function basePower({ chip, energyShare }: Draw): number {
  const { value, range } = BASE_POWER[/x elite|x plus|x2/i.test(chip.profile.soc) ? 'laptop' : 'phone'];
  return energyShare === null ? value : range[0] * (range[1] / range[0]) ** energyShare;
}

function ofKernel(wanted: Case, draw: Draw): Predicted {
  const { work, measure, quant } = wanted;
  if (work.kind !== 'kernel') throw new NotModelled('no operator');
  const weights: WeightDType = quant;
  const spec = parseKernel(work.operator, {
    rows: work.rows ?? undefined,
    keys: work.keys ?? undefined,
    weights,
  });
  const { stack } = draw.chip;
  const chip = openChip({ ...draw.chip, set: settingsOf(wanted, draw) });
  const onNpu = stack.placement !== 'all-cpu' && stack.placement !== 'embedding-cpu-rest-gpu';
  const found = onNpu ? timeKernel(spec, chip) : null;
  const ms =
    (found === null ? cpuKernelMs(spec, chip, quant) : work.seen === 'call' ? found.callMs : found.deviceMs) *
    draw.slowdown;
  const kernelParts = found?.parts ?? [{ name: stack.name, ms }];
  const value =
    measure.quantity === 'time'
      ? ms
      : measure.quantity === 'operations'
        ? (2 * sizeOf(spec, quant).macs) / ms / 1e6
        : sizeOf(spec, quant).bytes / ms / 1e6;
  return { value: value * measure.factor, account: null, kernelParts };
}

/** Multiply-accumulates of an operator and bytes of its weights or keys. */
function sizeOf(spec: KernelSpec, quant: Case['quant']): { macs: number; bytes: number } {
  const each = { f32: 4, f16: 2, q8_0: 34 / 32, q4_0: 18 / 32 }[quant];
  switch (spec.kind) {
    case 'product': {
      const weights = spec.inWidth * spec.outWidths.reduce((sum, width) => sum + width, 0);
      return { macs: spec.rows * weights, bytes: weights * each };
    }
    case 'routed-product': {
      const weights = spec.inWidth * spec.outWidth;
      return { macs: spec.rows * spec.expertsPerToken * weights, bytes: spec.experts * weights * each };
    }
    case 'attention':
      return {
        macs: 2 * spec.rows * spec.keys * spec.heads * spec.headDim,
        bytes: 4 * spec.keys * spec.kvHeads * spec.headDim,
      };
    case 'conv':
    case 'concat':
      return {
        macs: spec.kind === 'conv' ? spec.rows * spec.channels * spec.taps : 0,
        bytes: 8 * spec.rows * spec.channels,
      };
    case 'rows':
      return { macs: 0, bytes: movedBytes(spec, rowBytes(spec, 4)) };
    case 'layer-products':
      throw new NotModelled('a mean over products has no one size');
  }
}
