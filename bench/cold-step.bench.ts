/**
 * The first step of a fresh process, when nothing is compiled or cached: medians over some processes. Inside, loading modules
 * and profiles is not counted. Goal: what `simulate step` needs beyond its start is under 150 ms.
 */
import { bench, describe } from 'vitest';
import { freshOutput, medianOf } from './fresh-process.js';

const RUNS = 9;
const MODES = ['unlimited', 'on-demand', 'paging', 'somr'] as const;
/** Each measures in processes of its own; the harness only runs it once. */
const ONCE = { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 };

const SCRIPT = `
const load = (path) => import(dist + path);
const { machine: openMachine } = await load('sim/open-machine.js');
const { loadProfile } = await load('sim/hardware/load-profile.js');
const { resolvePreset } = await load('src/model/presets.js');
const shapes = resolvePreset('llada-8b');
const settings = { profile: loadProfile('sm8750'), stack: 'llada.cpp', shapes, quant: 'q4_0', memory: process.argv[1] };
const shape = { rows: 32, kvSets: [{ name: 'prefix', length: 80 }], logitsRows: 32, masked: false };
const startMs = performance.now();
const machine = openMachine(settings);
machine.timePass(shape);
const firstMs = performance.now() - startMs;
machine.timePass(shape);
const secondMs = performance.now() - startMs - firstMs;
process.stdout.write(JSON.stringify({ firstMs, secondMs, rssMb: process.memoryUsage().rss / 1e6 }));
`;

describe('first step of a fresh process, 32 rows of LLaDA-8B', () => {
  for (const memory of MODES) {
    bench(
      memory,
      () => {
        const runs = Array.from({ length: RUNS }, () => JSON.parse(freshOutput(SCRIPT, memory)));
        const of = (name: 'firstMs' | 'secondMs' | 'rssMb') => medianOf(runs.map((run) => run[name]));
        console.log(
          `${memory}: first step ${of('firstMs').toFixed(1)} ms, second ${of('secondMs').toFixed(2)} ms, process ${of('rssMb').toFixed(0)} MB`,
        );
      },
      ONCE,
    );
  }
});
