import { describe, expect, it } from 'vitest';
import type { Scoring } from '../../src/decode/rules/sample-row.js';
import { AskedBeside } from '../../src/engine/verify/asked-beside.js';
import type { JointPass } from '../../src/engine/verify/closure.js';
import { CheckError } from '../../src/errors.js';
import type { RowOutcome } from '../../src/pass/pass.js';

type Wanted = JointPass['wanted'][number];

/** The mask is token 3; its logit is never looked at for a gap. */
const MASK = 3;
const asking = (gap: boolean, drift: number | null) => ({ gap, drift }) as unknown as Scoring;
const said = (beside: Partial<RowOutcome> = {}): RowOutcome => ({
  ...{ position: 7, token: 0, confidence: 1 },
  ...beside,
});
const wanted = (changes: Partial<Wanted> = {}): Wanted => ({
  ...{ row: 0, partId: '4.0', position: 7, denoises: true, recorded: said() },
  ...changes,
});
/** Logits of these probabilities; every common shift gives the same ones. */
const logits = (...shares: number[]) => Float32Array.from(shares, (share) => Math.log(share) + 2);

describe('the probability of a token that was asked for', () => {
  const beside = new AskedBeside(asking(false, null), true, MASK);
  const row = logits(0.5, 0.25, 0.125, 0.125);

  it('is compared with that of the logits, either way', () => {
    expect(beside.probabilityError(wanted({ asks: 1 }), said({ asked: 0.35 }), row)).toBeCloseTo(0.1, 6);
    expect(beside.probabilityError(wanted({ asks: 1 }), said({ asked: 0.15 }), row)).toBeCloseTo(0.1, 6);
    expect(beside.probabilityError(wanted({ asks: 0 }), said({ asked: 0.5 }), row)).toBeCloseTo(0, 6);
    expect(beside.probabilityError(wanted(), said(), row)).toBe(0);
  });

  it('is a fault where it is missing, and where nobody asked', () => {
    const error = (ask: Partial<Wanted>, beside_: Partial<RowOutcome>) => () =>
      beside.probabilityError(wanted(ask), said(beside_), row);
    const row7 = 'pass 4.0, row of position 7: the probability of a token';
    expect(error({ asks: 0 }, {})).toThrow(new CheckError(`${row7} was asked for and is not recorded`));
    expect(error({}, { asked: 0 })).toThrow(new CheckError(`${row7} is recorded and was not asked for`));
  });
});

describe('the gap of the best two logits', () => {
  it('leaves the mask out, wherever it stands', () => {
    const beside = new AskedBeside(asking(true, null), true, MASK);
    const row = Float32Array.of(-2, 5, 2, 9);
    expect(beside.natsError(wanted(), said({ gap: 3 }), row)).toBe(0);
    expect(beside.natsError(wanted(), said({ gap: 3.5 }), row)).toBe(0.5);
    expect(beside.natsError(wanted(), said({ gap: 2.75 }), row)).toBe(0.25);
    expect(new AskedBeside(asking(true, null), true, 1).natsError(wanted(), said({ gap: 7 }), row)).toBe(0);
    expect(() => beside.natsError(wanted(), said(), row)).toThrow(
      'the gap of its logits was asked for and is not recorded',
    );
  });

  it('is not known where nobody asks', () => {
    const beside = new AskedBeside(asking(false, null), true, MASK);
    expect(beside.natsError(wanted(), said(), Float32Array.of(1, 2, 3, 4))).toBeNull();
    expect(() => beside.natsError(wanted(), said({ gap: 1 }), Float32Array.of(1, 2, 3, 4))).toThrow(
      'the gap of its logits is recorded and was not asked for',
    );
  });
});

describe('how far a row moved', () => {
  /** KL(now || before) of two tokens, in nats. */
  const moved = (now: number, before: number): number =>
    now * Math.log(now / before) + (1 - now) * Math.log((1 - now) / (1 - before));
  const first = logits(0.5, 0.5);
  const second = logits(0.8, 0.2);
  const third = logits(0.9, 0.1);

  it('is from one step to the next, and asked for from the second on', () => {
    const beside = new AskedBeside(asking(false, 1), true, MASK);
    expect(beside.natsError(wanted(), said(), first)).toBe(0);
    expect(beside.natsError(wanted(), said({ drift: moved(0.8, 0.5) + 0.25 }), second)).toBeCloseTo(0.25, 6);
    expect(beside.natsError(wanted(), said({ drift: moved(0.9, 0.8) }), third)).toBeCloseTo(0, 6);
    expect(() => beside.natsError(wanted(), said(), first)).toThrow(
      'pass 4.0, row of position 7: its drift was asked for and is not recorded',
    );
    const early = new AskedBeside(asking(false, 1), true, MASK);
    expect(() => early.natsError(wanted(), said({ drift: 0 }), first)).toThrow(
      'its drift is recorded and was not asked for',
    );
  });

  it('is the largest of as many steps as the policy asks for, and of no more', () => {
    const beside = new AskedBeside(asking(false, 2), true, MASK);
    const drift = (of: Float32Array, value?: number) =>
      beside.natsError(wanted(), said({ drift: value }), of);
    expect(drift(first)).toBe(0);
    expect(drift(second)).toBe(0);
    expect(drift(third, moved(0.8, 0.5))).toBeCloseTo(0, 6);
    // The large step is the older of two, and then out of sight.
    expect(drift(third, moved(0.9, 0.8))).toBeCloseTo(0, 6);
    expect(drift(third, 0)).toBeCloseTo(0, 6);
  });

  it('is that of its position, in passes that denoise', () => {
    const beside = new AskedBeside(asking(false, 1), true, MASK);
    expect(beside.natsError(wanted(), said(), first)).toBe(0);
    expect(beside.natsError(wanted({ position: 8 }), said(), second)).toBe(0);
    expect(beside.natsError(wanted({ denoises: false }), said(), third)).toBe(0);
    expect(beside.natsError(wanted(), said({ drift: moved(0.8, 0.5) }), second)).toBeCloseTo(0, 6);
  });

  it('from a token of no probability is finite, as KLASS has it', () => {
    const beside = new AskedBeside(asking(false, 1), true, MASK);
    beside.natsError(wanted(), said(), Float32Array.of(0, Number.NEGATIVE_INFINITY));
    const kl = 0.5 * Math.log(0.5) + 0.5 * Math.log(0.5 / 1e-12);
    expect(beside.natsError(wanted(), said({ drift: kl }), Float32Array.of(0, 0))).toBeCloseTo(0, 6);
    // And to one of none; logits whose powers are too large for a number say the same.
    const gone = Float32Array.of(500, Number.NEGATIVE_INFINITY);
    expect(beside.natsError(wanted(), said({ drift: Math.LN2 }), gone)).toBeCloseTo(0, 6);
  });

  it('is not known without every step, and a gap still is', () => {
    const some = new AskedBeside(asking(false, 1), false, MASK);
    expect(some.natsError(wanted(), said({ drift: 5 }), first)).toBeNull();
    // Of a policy that asks for none, one is too much, with every step or without.
    const none = new AskedBeside(asking(false, null), false, MASK);
    expect(() => none.natsError(wanted(), said({ drift: 5 }), first)).toThrow('was not asked for');
    const both = new AskedBeside(asking(true, 1), false, 0);
    const row = Float32Array.of(9, 4, 1, 0);
    expect(both.natsError(wanted(), said({ drift: 5, gap: 3.5 }), row)).toBe(0.5);
  });

  it('counts beside a gap: the larger error of both', () => {
    const error = (gap: number, drift: number) => {
      const beside = new AskedBeside(asking(true, 1), true, MASK);
      const row = Float32Array.of(4, 1, 0, 9);
      beside.natsError(wanted(), said({ gap: 3 }), row);
      return beside.natsError(wanted(), said({ gap: 3 + gap, drift }), row);
    };
    expect(error(0.5, 0.25)).toBeCloseTo(0.5, 9);
    expect(error(0.125, 0.25)).toBeCloseTo(0.25, 9);
  });
});
