import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOMS } from './rooms.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const DIRECTORY = 'results/reference/mutation';
const SUMMARY = `${DIRECTORY}/summary.json`;

/** Mutants that no test can notice, each with the reason. A changed line is judged anew. */
export const EQUIVALENTS = JSON.parse(readFileSync(join(here, 'equivalent.json'), 'utf8'));

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const squeeze = (text) => text.replace(/\s+/g, ' ').trim();

/** A mutant as a reader sees it: the text that stood there, and what took its place. */
export function shown(source, { location: { start, end }, replacement, mutatorName, status }) {
  const lines = source.split('\n');
  const cut =
    start.line === end.line
      ? lines[start.line - 1].slice(start.column - 1, end.column - 1)
      : [lines[start.line - 1].slice(start.column - 1), ...lines.slice(start.line, end.line - 1), lines[end.line - 1].slice(0, end.column - 1)].join('\n');
  return { line: start.line, code: squeeze(lines[start.line - 1]), was: squeeze(cut), becomes: squeeze(replacement ?? ''), mutator: mutatorName, status };
}

/** Whether a mutant is on the list of those that no test can notice. */
export function isEquivalent(file, mutant) {
  return EQUIVALENTS.some(
    (known) => known.file === file && known.code === mutant.code && known.becomes === mutant.becomes && (known.was === undefined || known.was === mutant.was),
  );
}

/** Statuses of a mutant that no test noticed. */
export const BAD = ['Survived', 'NoCoverage'];

function rowOf(room, file, { source, mutants }) {
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const survivors = mutants.filter(({ status }) => BAD.includes(status)).map((mutant) => shown(source, mutant));
  const left = survivors.filter((mutant) => !isEquivalent(file, mutant));
  const noticed = count('Killed', 'Timeout', 'RuntimeError');
  return {
    file,
    room,
    sha256: sha256(source),
    mutants: noticed + survivors.length,
    noticed,
    survived: left.length,
    equivalent: survivors.length - left.length,
    /** Run once at load; not tried. */
    loadTime: count('Ignored'),
    survivors: left.map(({ line, was, becomes, status }) => ({ line, was, becomes, ...(status === 'NoCoverage' ? { reached: false } : {}) })),
  };
}

const share = (noticed, survived) => (noticed + survived === 0 ? null : Math.round((1000 * noticed) / (noticed + survived)) / 10);

const rowsBefore = () => (existsSync(SUMMARY) ? JSON.parse(readFileSync(SUMMARY, 'utf8')).files : []);

/** Files that are to be mutated and have not been, by room. */
export function notRun(globSync, rows = rowsBefore()) {
  const left = Object.entries(ROOMS).map(([room, { parts }]) => {
    const files = Object.values(parts).flatMap((of) => globSync(Array.isArray(of) ? of : of.files));
    return [room, [...new Set(files)].filter((file) => !rows.some((row) => row.file === file)).sort()];
  });
  return Object.fromEntries(left.filter(([, files]) => files.length > 0));
}

/** Puts the files of a run into the report in results/reference/mutation, in place of what it said of them before. */
export function record({ room, fileName, seconds, globSync }) {
  const { files } = JSON.parse(readFileSync(fileName, 'utf8'));
  const fresh = Object.entries(files).map(([file, of]) => rowOf(room, file, of));
  const kept = rowsBefore().filter(({ file }) => existsSync(file) && !fresh.some((row) => row.file === file));
  const rows = [...kept, ...fresh].sort((a, b) => (a.file < b.file ? -1 : 1));
  const sum = (of, key) => of.reduce((total, row) => total + row[key], 0);
  const rooms = Object.entries(ROOMS).flatMap(([name, { goal }]) => {
    const of = rows.filter((row) => row.room === name);
    if (of.length === 0) return [];
    const [mutants, noticed, survived, equivalent] = ['mutants', 'noticed', 'survived', 'equivalent'].map((key) => sum(of, key));
    return [{ room: name, files: of.length, mutants, noticed, survived, equivalent, percent: share(noticed, survived), goal }];
  });
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(SUMMARY, `${JSON.stringify({ schema: 'dllm-npu/mutation@1', command: 'npm run mutate', rooms, notRun: notRun(globSync, rows), equivalents: EQUIVALENTS, files: rows }, null, 1)}\n`);
  const columns = ['file', 'room', 'mutants', 'noticed', 'survived', 'equivalent', 'loadTime'];
  const csv = [[...columns, 'percent'], ...rows.filter(({ mutants, loadTime }) => mutants + loadTime > 0).map((row) => [...columns.map((key) => row[key]), share(row.noticed, row.survived)])];
  writeFileSync(`${DIRECTORY}/files.csv`, `${csv.map((cells) => cells.join(',')).join('\n')}\n`);
  for (const row of fresh) {
    console.log(`${row.file}: ${row.noticed} noticed, ${row.survived} not, ${row.equivalent} equivalent`);
    for (const { line, was, becomes } of row.survivors) console.log(`  ${line}: ${was}  ->  ${becomes}`);
  }
  for (const of of rooms.filter((each) => each.room === room)) console.log(`${room}: ${of.percent} % of ${of.mutants - of.equivalent} (goal ${of.goal} %), ${seconds} s`);
}
