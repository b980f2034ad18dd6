import { describe, expect, it } from 'vitest';
import { foldModel } from '../../../sim/machine/fold-model.js';
import { type KindOptions, kindOf } from '../../../sim/machine/kind.js';
import { longestHeld } from '../../../sim/machine/pass-run.js';
import { type NamedOp, Names } from '../../../sim/machine/prepare.js';
import { machine } from '../../../sim/open-machine.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { precisionFor } from '../../../src/model/precision.js';
import { madeUpChip, madeUpStack } from '../costs/made-up.js';
import { MODELS } from '../costs/models.js';

const shapes = MODELS.plain as (typeof MODELS)[string];
const OPTIONS: KindOptions = {
  profile: madeUpChip(),
  stack: madeUpStack(),
  shapes,
  quant: precisionFor('q4_0'),
  memory: 'somr',
  placement: 'global',
};
const shape = { rows: 9, kvSets: [], logitsRows: 9, masked: false };

describe('machines of one kind', () => {
  it('share all that has no clock, and nothing with another kind', () => {
    const kind = kindOf(OPTIONS);
    expect(kindOf({ ...OPTIONS })).toBe(kind);
    // Equal formats are one kind, whoever made the object.
    expect(kindOf({ ...OPTIONS, quant: precisionFor('q4_0') })).toBe(kind);
    const others: Partial<KindOptions>[] = [
      { profile: { ...OPTIONS.profile } },
      { stack: { ...OPTIONS.stack } },
      { shapes: { ...shapes } },
      { quant: precisionFor('q8_0') },
      { memory: 'paging' },
      { placement: 'alternating' },
    ];
    const kinds = others.map((change) => kindOf({ ...OPTIONS, ...change }));
    expect(new Set([kind, ...kinds]).size).toBe(1 + others.length);
    others.forEach((change, at) => {
      expect(kindOf({ ...OPTIONS, ...change }), Object.keys(change)[0]).toBe(kinds[at]);
    });
  });

  it('prepare a pass once for each shape', () => {
    // A kind of its own: what another test has prepared would hide what this one does.
    const options = { ...OPTIONS, profile: { ...OPTIONS.profile } };
    const kind = kindOf(options);
    const pass = kind.pass(shape);
    expect(kind.pass({ ...shape })).toBe(pass);
    const longer = kind.pass({ ...shape, rows: 10 });
    expect(longer).not.toBe(pass);
    // The orders of operators are shared by shapes, and so are the operators.
    expect(longer.ops).toBe(pass.ops);
    expect(longer.all).toBe(pass.all);
    const none = kind.pass({ ...shape, logitsRows: 0 });
    expect(none.all).not.toBe(pass.all);
    expect(none.all[0]).toBe(pass.all[0]);
    // Equal operators are one object, operators of another name are not.
    const work = (id: string) => pass.work[pass.all.findIndex((op) => op.id === id)];
    expect(work('blk.1.ffn_gate')).toBe(work('blk.0.ffn_gate'));
    expect(work('blk.0.ffn_up')).not.toBe(work('blk.0.ffn_gate'));
    const host = kindOf({ ...options, stack: madeUpStack({ placement: 'products-npu' }) }).pass(shape);
    const elsewhere = host.work.filter(({ part }) => part === 'CPU swiglu');
    expect(elsewhere.length).toBe(3);
    expect(new Set(elsewhere).size).toBe(1);
    expect(kind.cpuPass(shape)).toBe(kind.cpuPass({ ...shape }));
    expect(pass.scratchBytes()).toBe(pass.scratchBytes());
  });

  it('draw the tasks of an operator once', () => {
    const { npu, ...kind } = kindOf(OPTIONS);
    expect(kind.cores).toBe(7);
    const [{ kernel }] = kindOf(OPTIONS)
      .pass(shape)
      .work.flatMap((work) => (work.device === 'npu' ? [work] : []));
    expect(npu.spans(kernel)).toBe(npu.spans(kernel));
    expect(npu.spans(kernel).length).toBeGreaterThan(0);
  });
});

describe('a machine that stages', () => {
  it('moves less beside a copy by whatever its operators move with', () => {
    // A copy leaves 40 GB/s: more than one queue or direct reads take, less than a queue for each thread.
    const profile = { ...OPTIONS.profile, cpu: { ...OPTIONS.profile.cpu, sharedCopyRate: 17 } };
    const stack = madeUpStack({ elementwise: 'queues', numbers: { addOps: 0.001 } });
    const { all, work } = kindOf({ ...OPTIONS, profile, stack }).pass({ ...shape, rows: 200 });
    const added = work[all.findIndex(({ label }) => label === 'add')];
    if (added.device !== 'npu') throw new Error('an addition runs elsewhere');
    expect(added.besideCopy.ms / added.kernel.ms).toBeCloseTo(43 / 40, 3);
    // Nothing is copied where nothing is staged.
    const paged = kindOf({ ...OPTIONS, profile, stack, memory: 'paging' }).pass(shape).work;
    for (const each of paged) if (each.device === 'npu') expect(each.besideCopy).toBe(each.kernel);
  });
});

describe('a model that is folded', () => {
  it('is folded once, and is itself where there is nothing to fold', () => {
    expect(foldModel(shapes)).toBe(foldModel(shapes));
    expect(foldModel({ ...shapes })).not.toBe(foldModel(shapes));
    const one = { ...shapes, layers: 1 };
    expect(foldModel(one).config).toBe(one);
  });
});

describe('operators of a model, whatever the pass', () => {
  const op = (id: string): NamedOp => ({ id, layer: 0, label: 'q', weights: [] });
  const [a, b, c] = ['a', 'b', 'c'].map(op);

  it('are in one order for all passes that have the same, and in another for any other', () => {
    const names = new Names();
    const orders = [[a, b], [a, c], [a], [b, a], [a, b, c], []];
    const kept = orders.map((order) => names.order([...order]));
    expect(new Set(kept).size).toBe(orders.length);
    orders.forEach((order, at) => {
      expect(names.order([...order])).toBe(kept[at]);
      expect(kept[at]).toEqual(order);
    });
  });
});

describe('a machine that records nothing', () => {
  it('has an empty timeline', () => {
    const of = machine({ ...OPTIONS });
    of.timePass(shape);
    expect(of.timeline()).toEqual({ machine: of.name, spans: [], counters: [], steps: [] });
  });
});

describe('what held a step up longest', () => {
  it('is the first of equal ones in the order of reports', () => {
    expect(
      longestHeld(
        new Map([
          ['dma', 2],
          ['vector', 2],
          ['cpu', 1],
        ]),
      ),
    ).toBe('vector');
    expect(
      longestHeld(
        new Map([
          ['driver', 3],
          ['vector', 2],
        ]),
      ),
    ).toBe('driver');
  });
});

describe('an address window that is no limit', () => {
  it('refuses nothing', () => {
    const profile = { ...OPTIONS.profile, window: { ...OPTIONS.profile.window, bytes: 1000 } };
    expect(machine({ ...OPTIONS, profile, memory: 'unlimited' }).timePass(shape).endMs).toBeGreaterThan(0);
    expect(() => machine({ ...OPTIONS, profile, memory: 'on-demand' })).toThrow(
      /larger than an address window/,
    );
  });
});

describe('a machine before its first step', () => {
  it('has nothing to say of it', () => {
    const of = machine({ ...OPTIONS, stack: stackByName('llada.cpp'), profile: 'sm8750' });
    expect(() => of.stepBreakdown()).toThrow('no step was timed yet');
    expect(() => of.heldByPart()).toThrow('no step was timed yet');
    expect(of.timeline()).toEqual({ machine: of.name, spans: [], counters: [], steps: [] });
    expect(() => of.time({ step: 3, block: 0, passes: [] })).toThrow('step 3 has no main pass');
  });
});
