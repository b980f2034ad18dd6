// The built program, the command lines that are put under stress, and what a reader sees of their files.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const MAIN = join(root, 'dist/cli/main.js');
/** Everything is written below; the caller removes it. */
export const place = mkdtempSync(join(tmpdir(), 'dllm-stress-'));

const sweep = join(place, 'sweep.json');
writeFileSync(sweep, JSON.stringify({ schema: 'dllm-npu/sweep@1', kind: 'step', base: { costModel: 'tinyllama-1.1b' }, axes: { rows: { from: 1, to: 30 }, memory: ['somr', 'unlimited'] } }));
const summary = join(root, 'results/reference/ablation/summary.json');
const short = ['--gen-length', '32', '--jobs', '1'];

/** Command lines that write below a folder. */
export const COMMANDS = {
  sweep: (at) => ['sweep', sweep, '--results', at, '--jobs', '2'],
  quality: (at) => ['quality', '--n', '2', '--policies', 'block-kv,threshold', ...short, '--results', at, '--out', join(at, 'table.json')],
  ablate: (at) => ['ablate', '--cases', '1', '--verify-every', '16', ...short, '--results', at, '--out', join(at, 'out')],
  tune: (at) => ['tune', '--candidates', '1', '--screen', '1', '--confirm', '1', '--finalists', '1', '--jobs', '1', '--results', at, '--out', join(at, 'out')],
  convert: (at) => ['convert', 'tiny-llada', join(at, 'model.gguf'), '--quant', 'q8_0'],
  synth: (at) => ['synth', '--arch', 'llada', '--preset', 'tiny', join(at, 'model.gguf')],
  report: (at) => ['report', join(at, 'summary.json')],
};

export function folder(name) {
  const at = mkdtempSync(join(place, `${name}-`));
  if (name === 'report') copyFileSync(summary, join(at, 'summary.json'));
  return at;
}

/** Starts the program. `ended` of what it returns says how it ended, and what it said. */
export function start(args, options = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'], cwd: place, ...options });
  child.said = '';
  child.stderr?.on('data', (text) => {
    child.said += text;
  });
  child.ended = new Promise((done) => child.once('close', (code, signal) => done({ code, signal, said: child.said })));
  return child;
}

// A command line in a file names its own folder.
const digest = (bytes, at) => createHash('sha256').update(bytes.toString('latin1').replaceAll(at, 'AT')).digest('hex');

/** Files that a reader would see, with their content; where and when runs were made is no part of a result. */
export function seen(at) {
  const files = readdirSync(at, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(at, name)).isFile());
  const shown = files.filter((name) => !name.endsWith('.tmp') && basename(name) !== 'index.jsonl');
  return new Map(shown.sort().map((name) => [name, digest(readFileSync(join(at, name)), at)]));
}

/** Which file on the disk each stored run is: a run that is made again is another one. */
export const stamps = (at) => new Map([...seen(at).keys()].filter((name) => name.startsWith('runs/')).map((name) => [name, `${statSync(join(at, name)).ino} ${statSync(join(at, name)).mtimeMs}`]));
export const equal = (a, b) => JSON.stringify([...a]) === JSON.stringify([...b]);
export const leftovers = (at) => readdirSync(at, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tmp')).length;

const faults = [];
/** Holds a promise against what was found. */
export function promise(what, holds) {
  if (!holds) faults.push(what);
}
export const broken = () => faults;

export function said(name, text) {
  console.log(`${name}: ${text}`);
}

/** Loaded before the program: counts what it does to files, and kills it there. */
export const KILL_AT = `--import ${join(root, 'tools/stress/kill-at.mjs')}`;
const references = new Map();

/** What a command leaves undisturbed, how long it takes, and in how many operations on files. */
export async function reference(name) {
  if (!references.has(name)) {
    const at = folder(name);
    const count = join(place, `${name}.count`);
    const startedMs = performance.now();
    const { code, said: text } = await start(COMMANDS[name](at), { env: { ...process.env, NODE_OPTIONS: KILL_AT, DLLM_KILL_COUNT: count } }).ended;
    if (code !== 0) throw new Error(`${name} fails undisturbed: ${text}`);
    references.set(name, { files: seen(at), ms: performance.now() - startedMs, operations: Number(readFileSync(count, 'utf8')) });
  }
  return references.get(name);
}
