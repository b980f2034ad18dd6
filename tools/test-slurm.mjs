// npm run test:slurm: a sweep through a real Slurm on this one machine, compared with the same sweep run here.
// Starts munged, slurmctld and slurmd on ports and sockets of its own and stops them again. Needs root and Debian's
// slurm-wlm and munge; installs them where apt-get can, else says what is missing and exits with 3.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'dist/cli/main.js');
const needed = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'sinfo', 'scancel'];

const has = (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
const missing = () => needed.filter((name) => !has(name));
const giveUp = (why) => {
  console.error(`test:slurm: ${why}`);
  process.exit(3);
};

if (process.getuid?.() !== 0) giveUp('needs root, to run slurmd');
if (missing().length > 0 && has('apt-get')) {
  console.error('installing slurm-wlm and munge ...');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'slurm-wlm', 'munge'], {
    stdio: 'ignore',
    env,
  });
}
if (missing().length > 0) giveUp(`missing: ${missing().join(', ')} (Debian: slurm-wlm, munge)`);

const directory = mkdtempSync(join(tmpdir(), 'slurm-'));
const at = (name) => join(directory, name);
const host = hostname().split('.')[0];
const port = 20_000 + (process.pid % 20_000);
for (const name of ['state', 'spool', 'munge']) mkdirSync(at(name), { mode: 0o755 });
writeFileSync(at('munge/key'), randomBytes(128), { mode: 0o400 });
const socket = at('munge/socket');
writeFileSync(
  at('slurm.conf'),
  [
    'ClusterName=test',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${port}`,
    `SlurmdPort=${port + 1}`,
    'SlurmUser=root',
    'SlurmdUser=root',
    'AuthType=auth/munge',
    `AuthInfo=socket=${socket}`,
    'CredType=cred/munge',
    `StateSaveLocation=${at('state')}`,
    `SlurmdSpoolDir=${at('spool')}`,
    `SlurmctldPidFile=${at('slurmctld.pid')}`,
    `SlurmdPidFile=${at('slurmd.pid')}`,
    `SlurmctldLogFile=${at('slurmctld.log')}`,
    `SlurmdLogFile=${at('slurmd.log')}`,
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SwitchType=switch/none',
    'MpiDefault=none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU',
    'AccountingStorageType=accounting_storage/none',
    'JobAcctGatherType=jobacct_gather/none',
    'ReturnToService=2',
    `NodeName=${host} NodeAddr=127.0.0.1 CPUs=${availableParallelism()} State=UNKNOWN`,
    'PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP',
    '',
  ].join('\n'),
);
const env = { ...process.env, SLURM_CONF: at('slurm.conf') };
const services = [];
const service = (name, ...args) => {
  const child = spawn(name, args, { env, stdio: 'ignore' });
  child.on('exit', (code) => {
    if (!stopping && code !== 0) console.error(`${name} ended with ${code}; see ${directory}`);
  });
  services.push(child);
};
let stopping = false;
function stop() {
  stopping = true;
  for (const child of services.reverse()) child.kill('SIGTERM');
}
process.on('exit', stop);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

service(
  'munged',
  ...['--foreground', '--force', `--socket=${socket}`, `--key-file=${at('munge/key')}`],
  ...[`--pid-file=${at('munge/pid')}`, `--log-file=${at('munge/log')}`, `--seed-file=${at('munge/seed')}`],
);
await sleep(1000);
service('slurmctld', '-D', '-f', at('slurm.conf'));
service('slurmd', '-D', '-f', at('slurm.conf'), '-N', host);

let ready = false;
for (let tries = 0; tries < 120 && !ready; tries++) {
  await sleep(500);
  ready = spawnSync('sinfo', ['-h', '-o', '%t'], { env, encoding: 'utf8' }).stdout.trim() === 'idle';
}
if (!ready) giveUp(`the cluster did not come up; logs in ${directory}`);
console.error('slurmctld, slurmd and munged are up');

const sweep = at('sweep.json');
const COUNT = 24;
writeFileSync(
  sweep,
  JSON.stringify({
    schema: 'dllm-npu/sweep@1',
    kind: 'step',
    base: { costModel: 'tinyllama-1.1b' },
    axes: { rows: { from: 1, to: COUNT } },
  }),
);

let passed = 0;
let failed = 0;
function check(what, ok, more = '') {
  console.log(`${ok ? 'ok' : 'FAILED'}: ${what}${ok ? '' : ` ${more}`}`);
  if (ok) passed++;
  else failed++;
}
const cli = (...args) =>
  spawnSync(process.execPath, [main, 'sweep', sweep, ...args], { env, encoding: 'utf8' });
const runsOf = (results) =>
  readdirSync(join(results, 'runs'), { recursive: true })
    .filter((name) => /[0-9a-f]{64}\.json$/.test(name))
    .sort();

const here = cli('--results', at('here'), '--jobs', '1');
check('the sweep runs here', here.status === 0, here.stderr);
const slurm = cli('--launcher', 'slurm', '--shards', '3', '--jobs', '1', '--results', at('there'));
check('the array job is submitted, awaited and merged', slurm.status === 0, slurm.stderr + slurm.stdout);
const names = runsOf(at('here'));
check('every run is there', names.length === COUNT && runsOf(at('there')).join() === names.join());
const same = names.every((name) =>
  readFileSync(join(at('here'), 'runs', name)).equals(readFileSync(join(at('there'), 'runs', name))),
);
check('with the same bytes', same);
const [job] = readdirSync(join(at('there'), 'slurm'));
const shards = readdirSync(join(at('there'), 'slurm', job)).filter((name) => name.startsWith('shard-'));
check('made by three tasks', shards.length === 3, shards.join());
const again = cli('--launcher', 'slurm', '--results', at('there'));
check('nothing is submitted twice', again.status === 0 && /24 were there/.test(again.stdout), again.stderr);
rmSync(join(at('there'), 'slurm'), { recursive: true });
for (const name of names.slice(0, 5)) rmSync(join(at('there'), 'runs', name));
const rest = cli('--launcher', 'slurm', '--shards', '8', '--jobs', '1', '--results', at('there'));
check('only what is missing is submitted', rest.status === 0 && /5 made/.test(rest.stdout), rest.stderr);
const refused = cli(
  ...['--launcher', 'slurm', '--slurm', '--partition=nowhere', '--results', at('elsewhere'), '--jobs', '1'],
);
check(
  "sbatch's refusal is passed on, exit 3",
  refused.status === 3 && /partition/i.test(refused.stderr),
  refused.stderr,
);

stop();
await sleep(500);
if (failed === 0) rmSync(directory, { recursive: true, force: true });
else console.error(`logs in ${directory}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
