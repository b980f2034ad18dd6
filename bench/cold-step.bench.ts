/**
 * The first step of a fresh process, when nothing is compiled or cached: medians over some processes. Inside, loading modules,
 * profiles and shapes is told apart from the step. Goal: a step takes under 20 ms.
 *
 * On a machine that does other work as well, what a clock shows is mostly waiting: the time of the main thread on a processor
 * (Linux, /proc/thread-self/schedstat) is what a clock would show on a quiet one, or a little more, as caches are shared.
 */
import { bench, describe } from 'vitest';
import { freshOutput, medianOf } from './fresh-process.js';

const RUNS = 7;
const MODES = ['unlimited', 'on-demand', 'paging', 'somr'] as const;
/** Each measures in processes of its own; the harness only runs it once. */
const ONCE = { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 };

const SCRIPT = `
const { readFileSync } = await import('node:fs');
const threadMs = () => {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
};
const load = (path) => import(dist + path);
const { machine: openMachine } = await load('sim/open-machine.js');
const { resolvePreset } = await load('src/model/presets.js');
const shape = { rows: 32, kvSets: [{ name: 'prefix', length: 80 }], logitsRows: 32, masked: false };
const times = [threadMs()];
const shapes = resolvePreset('llada-8b');
const machine = openMachine({ profile: 'sm8750', stack: 'llada.cpp', shapes, quant: 'q4_0', memory: process.argv[1] });
times.push(threadMs());
machine.timePass(shape);
times.push(threadMs());
machine.timePass(shape);
times.push(threadMs());
const [openMs, firstMs, secondMs] = times.slice(1).map((at, i) => at - times[i]);
process.stdout.write(JSON.stringify({ openMs, firstMs, secondMs, rssMb: process.memoryUsage().rss / 1e6 }));
`;

describe('first step of a fresh process, 32 rows of LLaDA-8B', () => {
  for (const memory of MODES) {
    bench(
      memory,
      () => {
        const runs = Array.from({ length: RUNS }, () => JSON.parse(freshOutput(SCRIPT, memory)));
        const of = (name: 'openMs' | 'firstMs' | 'secondMs' | 'rssMb') =>
          medianOf(runs.map((run) => run[name]));
        const least = Math.min(...runs.map((run) => run.firstMs));
        console.log(
          `${memory}: files read and checked ${of('openMs').toFixed(1)} ms, first step ${of('firstMs').toFixed(1)} ms (least ${least.toFixed(1)}), ` +
            `second ${of('secondMs').toFixed(2)} ms, process ${of('rssMb').toFixed(0)} MB`,
        );
      },
      ONCE,
    );
  }
});
