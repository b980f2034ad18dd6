/**
 * What a command costs before it does anything: CPU time of whole processes, median of some. Goals: `--help` under 0.3 s,
 * `hardware list` under 0.5 s.
 */
import { bench, describe } from 'vitest';
import { freshOutput, medianOf } from './fresh-process.js';

const RUNS = 7;
const COMMANDS = ['--help', 'hardware list', 'hardware show sm8750', 'policies', 'device --help'] as const;
/** Each measures in processes of its own; the harness only runs it once. */
const ONCE = { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 };

/** The program itself, in a process that tells at its end what it used. */
const SCRIPT = `
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
process.on('exit', () => { const { user, system } = process.cpuUsage(); write('\\n' + (user + system) / 1000); });
process.argv = [process.argv[0], 'dllm-npu', ...process.argv.slice(1)];
await import(dist + 'cli/main.js');
`;

describe('CPU time of a command', () => {
  for (const line of COMMANDS) {
    bench(
      line,
      () => {
        const used = Array.from({ length: RUNS }, () => Number(freshOutput(SCRIPT, ...line.split(' '))));
        console.log(`dllm-npu ${line}: ${medianOf(used).toFixed(0)} ms of CPU`);
      },
      ONCE,
    );
  }
});
