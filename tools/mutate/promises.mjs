// npm run mutate -- --promises [WORD]: breaks each promise of promises.json (those that hold WORD) at the place that keeps it,
// and runs the tests that are to notice. Writes results/reference/mutation/promises.json; fails when a fault goes unnoticed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DIRECTORY } from './report.mjs';
import { switchIn } from './switch-in.mjs';
import { tryFaults } from './try-faults.mjs';

const here = dirname(fileURLToPath(import.meta.url));
/** Promises, and a fault that breaks each: what stands in a file, what takes its place, and the tests that are to notice. */
const PROMISES = JSON.parse(readFileSync(join(here, 'promises.json'), 'utf8'));

const NAME = 'promises';

/** Of a fault that no expression holds: the file is loaded as it would be with the fault in it. @returns the first test that fails */
function noticedAlone({ file, was, becomes, tests }) {
  const out = mkdtempSync(join(tmpdir(), 'dllm-planted-'));
  try {
    const [json, texts, settings] = ['results.json', 'texts.json', 'run.json'].map((name) => join(out, name));
    writeFileSync(settings, JSON.stringify({ files: tests, texts, isolate: true, isWarm: false }));
    writeFileSync(texts, JSON.stringify({ [file]: readFileSync(file, 'utf8').split(was).join(becomes) }));
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', join(here, 'vitest.config.mjs'), '--root', '.', '--reporter=json', `--outputFile=${json}`];
    const env = { ...process.env, DLLM_MUTATE: '1', DLLM_MUTATE_RUN: settings };
    const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    const { testResults } = JSON.parse(readFileSync(json, 'utf8'));
    for (const { name, status, message, assertionResults } of testResults) {
      const failed = assertionResults.find((each) => each.status === 'failed');
      if (failed !== undefined) return `${relative(process.cwd(), name)}: ${failed.fullName.trim()}`;
      // A file that cannot be loaded is no test that noticed.
      if (status === 'failed') throw new Error(`${name} did not run: ${message}${stdout}${stderr}`);
    }
    return null;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const PATH = join(DIRECTORY, `${NAME}.json`);

/**
 * @param word part of the promises that are tried, the others are kept in the report as they were found; undefined: all
 * @returns whether all were noticed
 */
export async function tryPromises(word) {
  const before = word !== undefined && existsSync(PATH) ? JSON.parse(readFileSync(PATH, 'utf8')).promises : [];
  const wanted = PROMISES.filter(({ promise }) => word === undefined || promise.includes(word)).map((fault) => ({ ...fault, id: fault.promise, line: 0 }));
  const { rounds, without } = switchIn(wanted);
  const found = new Map(without.map((fault) => [fault.promise, noticedAlone(fault)]));
  for (const round of rounds) {
    const tests = [...new Set(round.faults.flatMap((fault) => fault.tests))];
    // Tests that replace modules have modules of their own.
    const { faults } = await tryFaults({ name: NAME, ...round, tests, isolate: true, loads: true });
    for (const { promise, by } of faults) found.set(promise, by);
  }
  const rows = PROMISES.flatMap(({ tests: _, ...fault }) => {
    const by = found.get(fault.promise);
    if (by !== undefined) console.log(`${by === null ? 'UNNOTICED' : 'noticed'}  ${fault.promise}${by === null ? '' : `  (${by})`}`);
    return by === undefined ? (before.find(({ promise }) => promise === fault.promise) ?? []) : { ...fault, noticedBy: by };
  });
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(PATH, `${JSON.stringify({ schema: 'dllm-npu/mutation-promises@1', command: 'npm run mutate -- --promises', promises: rows }, null, 1)}\n`);
  return [...found.values()].every((by) => by !== null);
}
