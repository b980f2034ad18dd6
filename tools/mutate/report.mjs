import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plantIn } from './faults.mjs';
import { ROOMS, roomOf } from './rooms.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const DIRECTORY = 'results/reference/mutation';
const SUMMARY = `${DIRECTORY}/summary.json`;

/** Faults that no test can notice, each with the reason. A changed line is judged anew. */
export const EQUIVALENTS = JSON.parse(readFileSync(join(here, 'equivalent.json'), 'utf8'));

const sha256Of = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Whether a fault is on the list of those that no test can notice. */
export function isEquivalent(file, fault) {
  return EQUIVALENTS.some(
    (known) => known.file === file && known.code === fault.code && known.becomes === fault.becomes && (known.was === undefined || known.was === fault.was),
  );
}

export const percent = (fraction) => Math.round(1000 * fraction) / 10;

/**
 * A file of the report. @param noticed how many were noticed; @param survivors those that no test noticed
 * @param untried those that are met only as a file is loaded, where such were left out
 */
function rowOf({ room, file, noticed, survivors, untried, warm }) {
  const left = survivors.filter((fault) => !isEquivalent(file, fault));
  return {
    file,
    room,
    sha256: sha256Of(file),
    mutants: noticed + survivors.length,
    noticed,
    survived: left.length,
    equivalent: survivors.length - left.length,
    /** Run once at load; not tried. */
    loadTime: untried.length,
    ...(warm ? { warm } : {}),
    survivors: survivors.map((fault) => shown(file, fault)),
    ...(warm ? { untried: untried.map(({ key }) => key) } : {}),
  };
}

const shown = (file, { key, line, code, was, becomes, reached }) => ({
  key, line, code, was, becomes,
  ...(reached === false ? { reached } : {}),
  ...(isEquivalent(file, { code, was, becomes }) ? { equivalent: true } : {}),
});

function freshRow({ name: room, warm }, file, faults) {
  const of = faults.filter((fault) => fault.file === file);
  return rowOf({
    room, file, warm,
    noticed: of.filter(({ by }) => by !== null).length,
    survivors: of.filter(({ by, isLoadTime }) => by === null && !isLoadTime),
    untried: of.filter(({ isLoadTime }) => isLoadTime),
  });
}

const share = (noticed, survived) => (noticed + survived === 0 ? null : percent(noticed / (noticed + survived)));

const rowsBefore = () => (existsSync(SUMMARY) ? JSON.parse(readFileSync(SUMMARY, 'utf8')).files : []);

/** Files that are to be mutated and have not been, by room. */
export function notRun(rows = rowsBefore()) {
  const left = Object.keys(ROOMS).map((room) => [room, roomOf(room).sources.filter((file) => !rows.some((row) => row.file === file)).sort()]);
  return Object.fromEntries(left.filter(([, files]) => files.length > 0));
}

/** Puts what a run found into the report in results/reference/mutation, in place of what it said of these files before. */
export function record(room, { faults, cpuSeconds }) {
  put(room, room.sources.map((file) => freshRow(room, file, faults)), cpuSeconds);
}

/** What the report says of files of a room that stand as they were when it was written, with all that is needed to plant their survivors again. */
const standing = ({ sources }) =>
  rowsBefore().filter((row) => sources.includes(row.file) && row.sha256 === sha256Of(row.file) && row.survivors.every(({ key }) => key !== undefined));

/** Faults of a room that are to be planted again: survivors, with what was left out where `warm` leaves out nothing; of files that have changed, all. */
export async function leftOf(room) {
  const rows = standing(room);
  const changed = room.sources.filter((file) => !rows.some((row) => row.file === file));
  const { faults } = await plantIn(changed);
  const keys = rows.flatMap(({ survivors, untried }) => [
    ...survivors.flatMap(({ key, equivalent }) => (equivalent ? [] : [key])),
    ...(room.warm ? [] : (untried ?? [])),
  ]);
  return new Set([...faults.map(({ key }) => key), ...keys]);
}

/** Puts what was found of those of `leftOf` in the place of what the report said of them. */
export function recordAgain(room, { faults, cpuSeconds }) {
  const rows = new Map(standing(room).map((row) => [row.file, row]));
  const fresh = room.sources.map((file) => {
    const row = rows.get(file);
    if (row === undefined) return freshRow(room, file, faults);
    const tried = faults.filter((fault) => fault.file === file);
    const isTried = (key) => tried.some((fault) => fault.key === key);
    return rowOf({
      room: room.name, file, warm: room.warm,
      noticed: row.noticed + tried.filter(({ by }) => by !== null).length,
      survivors: [...row.survivors.filter(({ key }) => !isTried(key)), ...tried.filter(({ by, isLoadTime }) => by === null && !isLoadTime)],
      untried: (row.untried ?? []).filter((key) => !isTried(key)).map((key) => ({ key })),
    });
  });
  put(room, fresh, cpuSeconds);
}

function put({ name: room }, fresh, cpuSeconds) {
  const kept = rowsBefore().filter(({ file }) => existsSync(file) && !fresh.some((row) => row.file === file));
  const rows = [...kept, ...fresh].sort((a, b) => (a.file < b.file ? -1 : 1));
  const sum = (of, key) => of.reduce((total, row) => total + row[key], 0);
  const rooms = Object.entries(ROOMS).flatMap(([name, { goal }]) => {
    const of = rows.filter((row) => row.room === name);
    if (of.length === 0) return [];
    const [mutants, noticed, survived, equivalent] = ['mutants', 'noticed', 'survived', 'equivalent'].map((key) => sum(of, key));
    const isWarm = of.some(({ warm }) => warm);
    return [{ room: name, files: of.length, mutants, noticed, survived, equivalent, percent: share(noticed, survived), goal, ...(isWarm ? { warm: true } : {}) }];
  });
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(SUMMARY, `${JSON.stringify({ schema: 'dllm-npu/mutation@1', command: 'npm run mutate', rooms, notRun: notRun(rows), equivalents: EQUIVALENTS, files: rows }, null, 1)}\n`);
  const columns = ['file', 'room', 'mutants', 'noticed', 'survived', 'equivalent', 'loadTime'];
  const csv = [[...columns, 'percent'], ...rows.filter(({ mutants, loadTime }) => mutants + loadTime > 0).map((row) => [...columns.map((key) => row[key]), share(row.noticed, row.survived)])];
  writeFileSync(`${DIRECTORY}/files.csv`, `${csv.map((cells) => cells.join(',')).join('\n')}\n`);
  for (const row of fresh) {
    console.log(`${row.file}: ${row.noticed} noticed, ${row.survived} not, ${row.equivalent} equivalent`);
    for (const { line, was, becomes, equivalent } of row.survivors) if (!equivalent) console.log(`  ${line}: ${was}  ->  ${becomes}`);
  }
  for (const of of rooms.filter((each) => each.room === room)) console.log(`${room}: ${of.percent} % of ${of.mutants - of.equivalent} (goal ${of.goal} %), ${cpuSeconds} s of processor`);
}
