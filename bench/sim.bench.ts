/**
 * How fast the machine model simulates. Goals for LLaDA-8B on one core: a denoising step in under 20 ms, 128 steps of
 * a decode in under 1 s; the closed form of an operator at least 20 times faster than its events. Graphs are built before;
 * `bench/cold-step.mjs` times the first step of a fresh process.
 */
import { bench, describe } from 'vitest';
import { loadProfile } from '../sim/hardware/load-profile.js';
import { lower } from '../sim/machine/lower/index.js';
import { closedFormMs, toProgram } from '../sim/machine/pipeline.js';
import { ratesOf } from '../sim/machine/rates.js';
import { runProgram } from '../sim/machine/run-program.js';
import { placeAlternating, placeGlobal } from '../sim/memory/placement.js';
import { MEMORY_MODES, type MemoryMode } from '../sim/memory/runtime.js';
import { machine as openMachine } from '../sim/open-machine.js';
import { stackByName } from '../sim/stacks/registry.js';
import { graphFor } from '../src/model/graph-cache.js';
import { precisionFor } from '../src/model/precision.js';
import { resolvePreset } from '../src/model/presets.js';
import type { PassShape } from '../src/pass/shape.js';

const lladaCpp = stackByName('llada.cpp');

const profile = loadProfile('sm8750');
const model = resolvePreset('llada-8b');
const precision = precisionFor('q4_0');
const chip = { profile, stack: lladaCpp, shapes: model, quant: precision };
const shape = (rows: number, prefix: number): PassShape => ({
  rows,
  logitsRows: rows,
  masked: false,
  kvSets: prefix === 0 ? [] : [{ name: 'prefix', length: prefix }],
});

const graph = graphFor(model, shape(32, 80), precision);
const down = graph.ops.find((op) => op.kind === 'matmul' && op.role === 'down');
const kernel =
  down === undefined ? null : lower(down, graph, { profile, stack: lladaCpp, rates: ratesOf(profile, true) });

describe('one operator: FFN-down of LLaDA-8B, 32 rows', () => {
  bench('event', () => {
    for (const pipeline of kernel?.pipelines ?? []) runProgram(toProgram(pipeline));
  });
  bench('closed form', () => {
    for (const pipeline of kernel?.pipelines ?? []) closedFormMs(pipeline);
  });
});

function steps(memory: MemoryMode, count: number): void {
  const machine = openMachine({ ...chip, memory });
  for (let step = 0; step < count; step++) machine.timePass(shape(32, 80 + 32 * Math.floor(step / 32)));
}

for (const memory of MEMORY_MODES) {
  describe(`LLaDA-8B, 32 rows, ${memory}: two steps of a new machine`, () => {
    bench('steps', () => steps(memory, 2));
  });
}

describe('LLaDA-8B, 32 rows, somr: 128 steps over a growing prefix', () => {
  bench('steps', () => steps('somr', 128));
});

/** Sizes of a 13B model in Q4_0, cut into as many tensors. */
const tensors = Array.from({ length: 8000 }, (_, at) => ({
  id: `tensor ${at}`,
  bytes: [28_311_552, 28_311_552, 9_437_184, 9_437_184, 16_384][at % 5] ?? 0,
  computeMs: 1 + (at % 3),
  transferMs: 2,
}));
const sizes = tensors.map(({ bytes }) => bytes);

describe('placement of 8,000 tensors', () => {
  bench('global', () => void placeGlobal(sizes, 70e9));
  bench('alternating', () => void placeAlternating(tensors, 3e9));
});
