import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { note, read } from './journal.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const DIRECTORY = '.stryker';
const REPORT = join(DIRECTORY, 'vitest.json');
/** Processor time after which a test that was begun hangs: its own, so many times, and as much again for a busy machine. */
const HANGS = { factor: 10, seconds: 60, cleanSeconds: 600 };
const TICKS_PER_SECOND = 100;

/** Processor seconds of a process, of all its threads; with those of children that ended. */
function cpuSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ').map(Number);
    return { own: (fields[11] + fields[12]) / TICKS_PER_SECOND, children: (fields[13] + fields[14]) / TICKS_PER_SECOND };
  } catch {
    return { own: 0, children: 0 };
  }
}

/** One run of vitest. @param settings the file of them; @returns its exit status; null when a test hung and was ended */
function vitest(settings, journal) {
  const env = { ...process.env, DLLM_MUTATE: '1', DLLM_FUZZ_RUNS: process.env.DLLM_FUZZ_RUNS ?? '40', DLLM_MUTATE_RUN: settings };
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', join(here, 'vitest.config.mjs'), '--root', '.', '--reporter=json', `--outputFile=${REPORT}`];
  rmSync(REPORT, { force: true });
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => {
    said = `${said}${text}`.slice(-4000);
  });
  return new Promise((done) => {
    const seen = { lines: -1, at: 0 };
    const watch = setInterval(() => {
      const lines = existsSync(journal) ? readFileSync(journal).length : 0;
      const { own } = cpuSeconds(child.pid);
      if (lines !== seen.lines) Object.assign(seen, { lines, at: own });
      const { last, tests } = read(journal);
      const limit = last?.trying === undefined ? HANGS.cleanSeconds : HANGS.seconds + (HANGS.factor * (tests.get(last.test)?.ms ?? 0)) / 1000;
      if (own - seen.at > limit) child.kill('SIGKILL');
    }, 2000);
    child.on('close', (status) => {
      clearInterval(watch);
      done({ status, said });
    });
  });
}

const sha256 = (...texts) => texts.reduce((hash, text) => hash.update(text), createHash('sha256')).digest('hex');

/**
 * Tries faults, one at a time, and says which tests notice. All are in one text behind switches, so that everything is loaded once:
 * first warm, where each test tries the faults that it meets; then those that are left alone, each in a process of its own.
 * @param faults `{ id, file, line, was, becomes }`, with `tests` where not all may notice; @param texts the files that they are in
 * @param tests the files of tests, cheapest first; @param loads whether to try what is met only when a file is loaded;
 *   @param warm whether to leave out what has to be tried alone
 * @returns `faults`: each with `by` (the test that noticed; null: none), `timedOut`, `reached`, `isLoadTime` (met when a file is loaded
 *   and never after: not tried); `cpuSeconds` of all that ended, in this run and before it
 */
export async function tryFaults({ name, faults, texts, tests, isolate, loads = false, warm = false }) {
  const digest = sha256(JSON.stringify(faults), ...[...Object.keys(texts), ...tests].map((file) => readFileSync(file)));
  mkdirSync(DIRECTORY, { recursive: true });
  const base = join(DIRECTORY, `${name}-${digest.slice(0, 12)}`);
  const [journal, path] = [`${base}.jsonl`, `${base}.texts.json`];
  writeFileSync(path, JSON.stringify(texts));
  const may = Object.fromEntries(faults.flatMap((fault) => (fault.tests === undefined ? [] : [[fault.id, fault.tests]])));
  // By a file: a variable of the environment holds no more than 128 KiB.
  const settings = `${base}.run.json`;
  const run = async (files, alone = null) => {
    writeFileSync(settings, JSON.stringify({ files, texts: path, isolate, isWarm: true, journal, alone, may }));
    const startedAt = cpuSeconds('self').children;
    const ended = await vitest(settings, journal);
    note(journal, { cpuSeconds: cpuSeconds('self').children - startedAt });
    return ended;
  };
  await tryWarm(run, faults, tests, journal);
  if (!warm) await tryAlone(run, faults, tests, journal, loads);
  const known = read(journal);
  return { faults: faults.map((fault) => ({ ...fault, ...outcome(known, fault.id) })), cpuSeconds: Math.round(known.cpuSeconds) };
}

/** A test that hangs with a fault on has noticed it. */
function noteHang(journal) {
  const { last } = read(journal);
  if (last?.trying === undefined) return false;
  note(journal, { noticed: last.trying, by: last.test, ms: 0, timedOut: true });
  return true;
}

async function tryWarm(run, faults, tests, journal) {
  for (;;) {
    const before = read(journal);
    const open = faults.filter(({ id }) => !before.verdicts.has(id));
    const left = tests.filter((file) => !before.ended.has(file) && open.some((fault) => fault.tests?.includes(file) ?? true));
    if (left.length === 0) return;
    const { status, said } = await run(left);
    if (status === null && noteHang(journal)) continue;
    const { failed, ended, suspects } = read(journal);
    if (failed.length > before.failed.length && failed.length > 1 && failed.at(-1).failed === failed.at(-2).failed) {
      throw new Error(`a test fails with no fault planted: ${failed.at(-1).failed}: ${failed.at(-1).message}`);
    }
    if (ended.size === before.ended.size && suspects.size === before.suspects.size && failed.length === before.failed.length) {
      throw new Error(`the tests did not run: ${left[0]} ...\n${said}`);
    }
  }
}

/** Where faults are met: tests, and files whose hooks meet them. */
function where(known, id) {
  const tests = [...known.tests].filter(([, { hits }]) => hits[id] !== undefined);
  const hooks = [...known.hooks].filter(([, ids]) => ids.has(id)).map(([file]) => file);
  return { tests, files: new Set([...tests.map(([test]) => test.slice(0, test.indexOf(': '))), ...hooks]) };
}

async function tryAlone(run, faults, tests, journal, loads) {
  for (const { id, file, line, was, becomes, tests: may = tests } of faults) {
    const known = read(journal);
    if (known.verdicts.has(id)) continue;
    const { files } = where(known, id);
    // Which file of tests loaded it first says nothing of the others, where they share what is loaded.
    if (files.size === 0 && loads && isLoaded(known, id)) for (const test of may) files.add(test);
    // A test of one file may meet by a late import what another file loads at once.
    for (const [test, ids] of known.loads) if (ids.has(id)) files.add(test);
    const left = tests.filter((test) => files.has(test) && may.includes(test));
    if (left.length === 0) continue;
    const { status, said } = await run(left, id);
    if (status === null && noteHang(journal)) continue;
    if (read(journal).verdicts.has(id)) continue;
    if (status === 0) {
      note(journal, { survived: id });
      console.log(`  ${file}:${line}: ${was}  ->  ${becomes}`);
    } else note(journal, { noticed: id, by: noticedOutside(said), ms: 0 });
  }
}

/** What failed where no test did: a file that cannot be loaded, or an error that nobody caught. @throws where vitest itself did not run */
function noticedOutside(said) {
  if (!existsSync(REPORT)) throw new Error(`vitest did not run:\n${said}`);
  const failed = JSON.parse(readFileSync(REPORT, 'utf8')).testResults.find(({ status }) => status === 'failed');
  return failed === undefined ? 'an error that no test caught' : `${relative(process.cwd(), failed.name)}: is loaded`;
}

const isLoaded = (known, id) => [...known.loads.values()].some((ids) => ids.has(id));

function outcome(known, id) {
  const verdict = known.verdicts.get(id);
  const isReached = where(known, id).files.size > 0;
  const isLoadTime = verdict === undefined && !isReached && isLoaded(known, id);
  return { by: verdict?.by ?? null, timedOut: verdict?.timedOut ?? false, reached: isReached, isLoadTime };
}
