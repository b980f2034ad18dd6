import { describe, expect, it } from 'vitest';
import { foldModel } from '../../../sim/machine/fold-model.js';
import { type KindOptions, kindOf } from '../../../sim/machine/kind.js';
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
    const kind = kindOf(OPTIONS);
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
    expect(kind.cpuPass(shape)).toBe(kind.cpuPass({ ...shape }));
    expect(pass.scratchBytes()).toBe(pass.scratchBytes());
  });

  it('draw the tasks of an operator once', () => {
    const { npu, ...kind } = kindOf(OPTIONS);
    expect(kind.cores).toBe(7);
    const kernel = kindOf(OPTIONS)
      .pass(shape)
      .work.find((work) => work.kernel !== null)?.kernel;
    if (kernel === undefined || kernel === null) throw new Error('nothing runs on the NPU');
    expect(npu.spans(kernel)).toBe(npu.spans(kernel));
    expect(npu.spans(kernel).length).toBeGreaterThan(0);
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

describe('a machine before its first step', () => {
  it('has nothing to say of it', () => {
    const of = machine({ ...OPTIONS, stack: stackByName('llada.cpp'), profile: 'sm8750' });
    expect(() => of.stepBreakdown()).toThrow('no step was timed yet');
    expect(() => of.heldByPart()).toThrow('no step was timed yet');
    expect(of.timeline()).toEqual({ machine: of.name, spans: [], counters: [], steps: [] });
    expect(() => of.time({ step: 3, block: 0, passes: [] })).toThrow('step 3 has no main pass');
  });
});
