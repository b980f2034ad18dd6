/**
 * Whether simulated time costs are linear in the number of events: one operator of more and more chunks, and one pass
 * of more and more layers. Prints least-squares fits before the benchmarks; a power near 1 is linear.
 */
import { bench, describe } from 'vitest';
import { loadProfile } from '../sim/hardware/load-profile.js';
import { type Pipeline, toProgram } from '../sim/machine/pipeline.js';
import { runProgram } from '../sim/machine/run-program.js';
import { machine as openMachine } from '../sim/open-machine.js';
import { stackByName } from '../sim/stacks/registry.js';
import { resolvePreset } from '../src/model/presets.js';

const lladaCpp = stackByName('llada.cpp');

interface Sample {
  readonly events: number;
  readonly ms: number;
}

/** Best of some runs: what the work takes when nothing else runs. */
function bestMs(runs: number, work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const startMs = performance.now();
    work();
    best = Math.min(best, performance.now() - startMs);
  }
  return best;
}

/** ms = a * events ^ power, by least squares over the logarithms, and the share of the variance it explains. */
function powerLaw(samples: readonly Sample[]): { power: number; rSquared: number } {
  const points = samples.map(({ events, ms }) => ({ x: Math.log(events), y: Math.log(ms) }));
  const mean = (pick: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [mx, my] = [mean(({ x }) => x), mean(({ y }) => y)];
  const xx = mean(({ x }) => (x - mx) ** 2);
  const xy = mean(({ x, y }) => (x - mx) * (y - my));
  const yy = mean(({ y }) => (y - my) ** 2);
  return { power: xy / xx, rSquared: xy ** 2 / (xx * yy) };
}

function report(what: string, samples: readonly Sample[]): void {
  const { power, rSquared } = powerLaw(samples);
  const each = samples
    .map(({ events, ms }) => `${events}: ${((ms * 1e6) / events).toFixed(0)} ns`)
    .join(', ');
  console.log(`${what}: time ~ events^${power.toFixed(2)} (R2 ${rSquared.toFixed(4)}); per event ${each}`);
}

const CHUNK = { loadMs: 4, decodeMs: 2, multiplyMs: 1, finishMs: 0.5, storeMs: 0.5 };
const operator = (chunks: number): Pipeline => ({
  path: 'dma',
  tiles: 1,
  setup: { loadMs: 1, convertMs: 1 },
  chunk: CHUNK,
  fullChunks: chunks,
  rest: null,
});
const simulate = (chunks: number): number => runProgram(toProgram(operator(chunks))).ends.length;

const base = resolvePreset('llada-8b');
const shape = { rows: 32, kvSets: [{ name: 'prefix', length: 80 }], logitsRows: 32, masked: false };
const machineOf = (layers: number) =>
  openMachine({
    profile: loadProfile('sm8750'),
    stack: lladaCpp,
    shapes: { ...base, layers },
    quant: 'q4_0',
    memory: 'on-demand',
  });

for (let warm = 0; warm < 200; warm++) simulate(1000);
report(
  'one operator, tasks',
  [200, 800, 3200, 12_800, 51_200, 204_800].map((chunks) => ({
    events: simulate(chunks),
    ms: bestMs(15, () => simulate(chunks)),
  })),
);
for (let warm = 0; warm < 20; warm++) machineOf(8).timePass(shape);
report(
  'first pass of a new machine, operators',
  [8, 16, 32, 64, 128].map((layers) => ({
    events: 15 * layers + 4,
    ms: bestMs(15, () => machineOf(layers).timePass(shape)),
  })),
);

describe('one operator', () => {
  for (const chunks of [800, 12_800]) bench(`${chunks} chunks`, () => void simulate(chunks));
});
