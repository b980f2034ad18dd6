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

function broken({ file, was, becomes }) {
  const parts = readFileSync(file, 'utf8').split(was);
  if (parts.length !== 2) throw new Error(`${file} does not hold once: ${was}`);
  return parts.join(becomes);
}

/** @returns the first test that fails with the fault planted; null when none does */
function noticedBy({ tests, ...fault }) {
  const out = mkdtempSync(join(tmpdir(), 'dllm-planted-'));
  try {
    const [json, texts] = [join(out, 'results.json'), join(out, 'texts.json')];
    writeFileSync(texts, JSON.stringify({ [fault.file]: broken(fault) }));
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', join(here, 'vitest.config.mjs'), '--root', '.', '--reporter=json', `--outputFile=${json}`];
    const env = { ...process.env, DLLM_MUTATE: '1', DLLM_MUTATE_RUN: JSON.stringify({ files: tests, texts, isolate: true, isWarm: false }) };
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
  const found = [];
  const kept = () => PROMISES.flatMap(({ promise }) => [...found, ...before].find((row) => row.promise === promise) ?? []);
  mkdirSync(DIRECTORY, { recursive: true });
  for (const { tests, ...fault } of PROMISES.filter(({ promise }) => word === undefined || promise.includes(word))) {
    const by = noticedBy({ ...fault, tests });
    console.log(`${by === null ? 'UNNOTICED' : 'noticed'}  ${fault.promise}${by === null ? '' : `  (${by})`}`);
    found.push({ ...fault, noticedBy: by });
    writeFileSync(PATH, `${JSON.stringify({ schema: 'dllm-npu/mutation-promises@1', command: 'npm run mutate -- --promises', promises: kept() }, null, 1)}\n`);
  }
  return found.every(({ noticedBy: by }) => by !== null);
}
