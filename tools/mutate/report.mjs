import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOMS, roomOf } from './rooms.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const DIRECTORY = 'results/reference/mutation';
const SUMMARY = `${DIRECTORY}/summary.json`;

/** Faults that no test can notice, each with the reason. A changed line is judged anew. */
export const EQUIVALENTS = JSON.parse(readFileSync(join(here, 'equivalent.json'), 'utf8'));

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** Whether a fault is on the list of those that no test can notice. */
export function isEquivalent(file, fault) {
  return EQUIVALENTS.some(
    (known) => known.file === file && known.code === fault.code && known.becomes === fault.becomes && (known.was === undefined || known.was === fault.was),
  );
}

export const percent = (fraction) => Math.round(1000 * fraction) / 10;

function rowOf(room, file, faults) {
  const noticed = faults.filter(({ by }) => by !== null).length;
  const survivors = faults.filter(({ by, isLoadTime }) => by === null && !isLoadTime);
  const left = survivors.filter((fault) => !isEquivalent(file, fault));
  return {
    file,
    room,
    sha256: sha256(readFileSync(file)),
    mutants: noticed + survivors.length,
    noticed,
    survived: left.length,
    equivalent: survivors.length - left.length,
    /** Run once at load; not tried. */
    loadTime: faults.length - noticed - survivors.length,
    survivors: left.map(({ line, was, becomes, reached }) => ({ line, was, becomes, ...(reached ? {} : { reached }) })),
  };
}

const share = (noticed, survived) => (noticed + survived === 0 ? null : percent(noticed / (noticed + survived)));

const rowsBefore = () => (existsSync(SUMMARY) ? JSON.parse(readFileSync(SUMMARY, 'utf8')).files : []);

/** Files that are to be mutated and have not been, by room. */
export function notRun(rows = rowsBefore()) {
  const left = Object.keys(ROOMS).map((room) => [room, roomOf(room).sources.filter((file) => !rows.some((row) => row.file === file)).sort()]);
  return Object.fromEntries(left.filter(([, files]) => files.length > 0));
}

/** Puts the files of a run into the report in results/reference/mutation, in place of what it said of them before. */
export function record({ name: room, sources }, { faults, cpuSeconds }) {
  const fresh = sources.map((file) => rowOf(room, file, faults.filter((fault) => fault.file === file)));
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
  writeFileSync(SUMMARY, `${JSON.stringify({ schema: 'dllm-npu/mutation@1', command: 'npm run mutate', rooms, notRun: notRun(rows), equivalents: EQUIVALENTS, files: rows }, null, 1)}\n`);
  const columns = ['file', 'room', 'mutants', 'noticed', 'survived', 'equivalent', 'loadTime'];
  const csv = [[...columns, 'percent'], ...rows.filter(({ mutants, loadTime }) => mutants + loadTime > 0).map((row) => [...columns.map((key) => row[key]), share(row.noticed, row.survived)])];
  writeFileSync(`${DIRECTORY}/files.csv`, `${csv.map((cells) => cells.join(',')).join('\n')}\n`);
  for (const row of fresh) {
    console.log(`${row.file}: ${row.noticed} noticed, ${row.survived} not, ${row.equivalent} equivalent`);
    for (const { line, was, becomes } of row.survivors) console.log(`  ${line}: ${was}  ->  ${becomes}`);
  }
  for (const of of rooms.filter((each) => each.room === room)) console.log(`${room}: ${of.percent} % of ${of.mutants - of.equivalent} (goal ${of.goal} %), ${cpuSeconds} s of processor`);
}
