// npm run mutate -- --promises [WORD]: breaks each promise of promises.json (those that hold WORD) at the place that keeps it,
// and runs the tests that are to notice. Writes results/reference/mutation/promises.json; fails when a fault goes unnoticed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** @param word part of the promises that are tried; undefined: all, and the report is written */
export function tryPromises(word) {
  const rows = PROMISES.filter(({ promise }) => word === undefined || promise.includes(word)).map((fault) => {
    const by = noticedBy(fault);
    console.log(`${by === null ? 'UNNOTICED' : 'noticed'}  ${fault.promise}${by === null ? '' : `  (${by})`}`);
    return { promise: fault.promise, file: fault.file, was: fault.was, becomes: fault.becomes, noticedBy: by };
  });
  if (word === undefined) {
    mkdirSync(DIRECTORY, { recursive: true });
    writeFileSync(join(DIRECTORY, 'promises.json'), `${JSON.stringify({ schema: 'dllm-npu/mutation-promises@1', command: 'npm run mutate -- --promises', promises: rows }, null, 1)}\n`);
  }
  return rows.every(({ noticedBy: by }) => by !== null);
}
