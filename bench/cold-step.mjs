/**
 * The first step of a fresh process, when nothing is compiled or cached: `npm run build && node bench/cold-step.mjs`.
 * Prints medians over some processes; inside the child, loading modules and profiles is not counted.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const RUNS = Number(process.env.RUNS ?? 9);
const SETTINGS = ['unlimited', 'on-demand', 'paging', 'somr'].flatMap((memory) =>
  ['event', 'analytic'].map((fidelity) => ({ memory, fidelity })),
);

if (process.argv[2] === 'child') await child(process.argv[3], process.argv[4]);
else parent();

async function child(memory, fidelity) {
  const load = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);
  const { createMachine } = await load('sim/machine/machine.js');
  const { loadProfile } = await load('sim/hardware/load-profile.js');
  const { stackByName } = await load('sim/stacks/registry.js');
  const { precisionFor } = await load('src/model/precision.js');
  const { resolvePreset } = await load('src/model/presets.js');
  const options = {
    profile: loadProfile('sm8750'),
    stack: stackByName('llada.cpp'),
    model: resolvePreset('llada-8b'),
    precision: precisionFor('q4_0'),
    memory,
    fidelity,
  };
  const shape = { rows: 32, kvSets: [{ name: 'prefix', length: 80 }], logitsRows: 32, masked: false };
  const startMs = performance.now();
  const machine = createMachine(options);
  machine.timePass(shape);
  const firstMs = performance.now() - startMs;
  machine.timePass(shape);
  const secondMs = performance.now() - startMs - firstMs;
  const rssMb = process.memoryUsage().rss / 1e6;
  process.stdout.write(JSON.stringify({ firstMs, secondMs, rssMb }));
}

function parent() {
  const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
  for (const { memory, fidelity } of SETTINGS) {
    const runs = Array.from({ length: RUNS }, () =>
      JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), 'child', memory, fidelity])),
    );
    const of = (name) => median(runs.map((run) => run[name]));
    const least = Math.min(...runs.map(({ firstMs }) => firstMs));
    console.log(
      `${memory.padEnd(10)} ${fidelity.padEnd(9)} first step ${of('firstMs').toFixed(1)} ms (least ${least.toFixed(1)}), ` +
        `second ${of('secondMs').toFixed(2)} ms, process ${of('rssMb').toFixed(0)} MB`,
    );
  }
}
