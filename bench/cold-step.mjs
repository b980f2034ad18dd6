/**
 * The first step of a fresh process, when nothing is compiled or cached: `npm run build && node bench/cold-step.mjs`.
 * Prints medians over some processes; inside the child, loading modules and profiles is not counted.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const RUNS = Number(process.env.RUNS ?? 9);
const MODES = ['unlimited', 'on-demand', 'paging', 'somr'];

if (process.argv[2] === 'child') await child(process.argv[3]);
else parent();

async function child(memory) {
  const load = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);
  const { machine: openMachine } = await load('sim/open-machine.js');
  const { loadProfile } = await load('sim/hardware/load-profile.js');
  const { resolvePreset } = await load('src/model/presets.js');
  const settings = {
    profile: loadProfile('sm8750'),
    stack: 'llada.cpp',
    shapes: resolvePreset('llada-8b'),
    quant: 'q4_0',
    memory,
  };
  const shape = { rows: 32, kvSets: [{ name: 'prefix', length: 80 }], logitsRows: 32, masked: false };
  const startMs = performance.now();
  const machine = openMachine(settings);
  machine.timePass(shape);
  const firstMs = performance.now() - startMs;
  machine.timePass(shape);
  const secondMs = performance.now() - startMs - firstMs;
  const rssMb = process.memoryUsage().rss / 1e6;
  process.stdout.write(JSON.stringify({ firstMs, secondMs, rssMb }));
}

function parent() {
  const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
  for (const memory of MODES) {
    const runs = Array.from({ length: RUNS }, () =>
      JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), 'child', memory])),
    );
    const of = (name) => median(runs.map((run) => run[name]));
    const least = Math.min(...runs.map(({ firstMs }) => firstMs));
    console.log(
      `${memory.padEnd(10)} first step ${of('firstMs').toFixed(1)} ms (least ${least.toFixed(1)}), ` +
        `second ${of('secondMs').toFixed(2)} ms, process ${of('rssMb').toFixed(0)} MB`,
    );
  }
}
