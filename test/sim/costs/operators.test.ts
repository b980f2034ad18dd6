import { describe, it } from 'vitest';
import { foldModel } from '../../../sim/machine/fold-model.js';
import { cpuWork, kernelKey, lower, operatorStarts } from '../../../sim/machine/lower/index.js';
import { NpuUnits, timeAlone } from '../../../sim/machine/npu-unit.js';
import { opLabel } from '../../../sim/machine/parts.js';
import { ratesOf } from '../../../sim/machine/rates.js';
import type { ModelConfig } from '../../../src/model/config.js';
import type { Op } from '../../../src/model/graph.js';
import { graphFor } from '../../../src/model/graph-cache.js';
import { precisionFor, type Quant } from '../../../src/model/precision.js';
import { digest, GoldenTable } from '../../support/golden-table.js';
import { contextOf, STACKS } from './made-up.js';
import { MODELS } from './models.js';

const table = new GoldenTable('operators');

const PASSES: readonly (readonly [keyof typeof MODELS, number, number, Quant])[] = [
  ['plain', 33, 0, 'q4_0'],
  ['plain', 4, 70, 'f16'],
  ['with norms and biases', 6, 64, 'q8_0'],
  ['routed', 40, 10, 'q4_0'],
  ['routed', 12, 10, 'f16'],
  ['encoder', 23, 0, 'f32'],
  ['short convolutions', 37, 5, 'q4_0'],
  ['short convolutions', 1, 5, 'q8_0'],
  ['recurrent', 9, 50, 'q4_0'],
  ['layers of their own', 34, 60, 'q8_0'],
];

function passOf(model: ModelConfig, rows: number, length: number, quant: Quant, activations?: 'f32' | 'f16') {
  const kvSets = length === 0 ? [] : [{ name: 'prefix', length }];
  const shape = { rows, kvSets, logitsRows: Math.ceil(rows / 2), masked: rows === 6 };
  const kv = rows === 9 ? ({ kv: 'f32' } as const) : {};
  return graphFor(model, shape, precisionFor(quant, activations === undefined ? kv : { ...kv, activations }));
}

/** Every pass on one stack at least; all of them on the plainest, and where operators have loops of their own. */
function passesOf(stack: string) {
  const turn = Object.keys(STACKS).indexOf(stack);
  return PASSES.filter((_, at) => stack === 'hexagon' || stack === 'staged' || (at + turn) % 3 === 0);
}

describe.each(Object.entries(STACKS))('the operators of a pass on a made-up chip: %s', (stack, changes) => {
  it.each(passesOf(stack))('%s, %i rows after %i, %s', (name, rows, length, quant) => {
    const context = contextOf(changes);
    const graph = passOf(MODELS[name] as ModelConfig, rows, length, quant, context.stack.activations);
    const lines: Record<string, unknown> = {};
    for (const op of graph.ops) {
      const key = kernelKey(op, graph);
      // Equal keys are equal work.
      if (Object.keys(lines).some((line) => line.endsWith(` ${key}`))) continue;
      const kernel = lower(op, graph, context);
      const { ms, busyMs } = timeAlone(kernel, context.rates);
      const { pipelines, ...rest } = kernel;
      lines[`${op.id} ${key}`] = {
        ...rest,
        ms,
        busyMs,
        pipelines: `${pipelines.length} ${digest(pipelines)}`,
        starts: operatorStarts(op, context.stack),
      };
    }
    table.holds(`${stack}, ${name} ${rows} ${quant}`, lines);
  });

  it('in groups, one after the other', () => {
    const context = contextOf(changes);
    const graph = passOf(MODELS.plain as ModelConfig, 33, 0, 'q4_0', context.stack.activations);
    const copying = { ...context, rates: ratesOf(context.profile, true, context.stack.weightStream) };
    const shown = (units: NpuUnits) =>
      units
        .timeGroup(graph.ops, graph)
        .map((kernel) => [kernel.ms, digest(kernel.busyMs), digest(units.spans(kernel))]);
    // Four heads of keys, and several blocks of them: more tiles than the closed form looks at.
    const long = passOf(MODELS.encoder as ModelConfig, 150, 0, 'f16', context.stack.activations);
    const roomy = contextOf(changes, { tcm: 1 << 24 });
    const ends = (units: NpuUnits) => units.timeGroup(long.ops, long).map(({ ms }) => ms);
    table.holds(`groups ${stack}`, {
      'long, event': digest(ends(new NpuUnits(roomy))),
      'long, closed form': digest(ends(new NpuUnits(roomy, 'closed-form'))),
      event: shown(new NpuUnits(context)),
      'closed form': shown(new NpuUnits(context, 'closed-form')),
      'beside a copy': shown(new NpuUnits(copying)),
    });
  });
});

describe('the operators of a pass on CPU cores', () => {
  it.each(PASSES)('%s, %i rows after %i, %s', (name, rows, length, quant) => {
    const { profile, stack } = contextOf();
    const graph = passOf(MODELS[name] as ModelConfig, rows, length, quant);
    const work = (op: Op) => ({
      ...cpuWork(op, graph, profile, stack.numbers),
      label: opLabel(op),
      macs: op.macs,
    });
    table.holds(
      `cpu, ${name} ${rows} ${quant}`,
      Object.fromEntries(graph.ops.map((op) => [op.id, work(op)])),
    );
  });
});

describe('a model that is folded', () => {
  it('has each kind of layer once', () => {
    const folded = Object.entries(MODELS).map(([name, model]) => {
      // What is kept of a model is kept for that object.
      const { config, sequence, counts } = foldModel({ ...model });
      return [name, { layers: config.layers, shapes: config.timed?.shapes.length, sequence, counts }];
    });
    table.holds('folded', Object.fromEntries(folded));
  });
});
