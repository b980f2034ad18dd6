// What the command line costs before it does anything: node bench/cli-start.mjs (after `npm run build`).
// CPU seconds of a process, the best of five, beside the bound of docs/adr/103: the help loads no command, a small
// command only its own file. Exits with 1 when one is over its bound.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const BOUNDS = [
  ['--help', 0.3],
  ['generate --help', 0.5],
  ['hardware list', 0.5],
  ['hardware show sm8750', 0.5],
  ['policies', 0.5],
  ['nonsense', 0.3],
];

/** Runs the program in a process that says on its way out what it used. */
const PROGRAM = `
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    process.stderr.write('\\ncpu ' + (user + system) / 1e6);
  });
  process.argv.splice(1, 0, ${JSON.stringify(main)});
  await import(${JSON.stringify(main)});
`;

let over = 0;
for (const [command, bound] of BOUNDS) {
  const times = Array.from({ length: 5 }, () => {
    const args = ['--input-type=module', '-e', PROGRAM, '--', ...command.split(' ')];
    const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    return Number(/cpu ([\d.]+)$/.exec(stderr)?.[1]);
  });
  const best = Math.min(...times);
  if (!(best <= bound)) over++;
  console.log(`${command.padEnd(22)} ${best.toFixed(2)} s of CPU, at most ${bound} s`);
}
process.exit(over === 0 ? 0 : 1);
