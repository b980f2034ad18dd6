// npm run mutate -- --promises [WORD]: breaks each promise of promises.json (those that hold WORD) at the place that keeps it,
// and runs the tests that are to notice. Writes results/reference/mutation/promises.json; fails when a fault goes unnoticed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DIRECTORY } from './report.mjs';

const here = dirname(fileURLToPath(import.meta.url));
/** Promises, and a fault that breaks each: what stands in a file, what takes its place, and the tests that are to notice. */
const PROMISES = JSON.parse(readFileSync(join(here, 'promises.json'), 'utf8'));

/** @returns the first test that fails with the fault planted; null when none does */
function noticedBy(fault) {
  const out = mkdtempSync(join(tmpdir(), 'dllm-planted-'));
  try {
    const json = join(out, 'results.json');
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', join(here, 'planted.config.mjs'), '--root', '.', '--reporter=json', `--outputFile=${json}`];
    const env = { ...process.env, DLLM_MUTATE: '1', DLLM_PLANTED: JSON.stringify(fault) };
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

const PATH = join(DIRECTORY, 'promises.json');

/** @param word part of the promises that are tried, the others are kept in the report as they were found; undefined: all */
export function tryPromises(word) {
  const before = word !== undefined && existsSync(PATH) ? JSON.parse(readFileSync(PATH, 'utf8')).promises : [];
  const found = PROMISES.filter(({ promise }) => word === undefined || promise.includes(word)).map(({ tests, ...fault }) => {
    const by = noticedBy({ ...fault, tests });
    console.log(`${by === null ? 'UNNOTICED' : 'noticed'}  ${fault.promise}${by === null ? '' : `  (${by})`}`);
    return { ...fault, noticedBy: by };
  });
  const rows = PROMISES.flatMap(({ promise }) => [...found, ...before].find((row) => row.promise === promise) ?? []);
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(PATH, `${JSON.stringify({ schema: 'dllm-npu/mutation-promises@1', command: 'npm run mutate -- --promises', promises: rows }, null, 1)}\n`);
  return found.every(({ noticedBy: by }) => by !== null);
}
