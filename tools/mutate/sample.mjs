import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wilson } from '../../dist/src/score/statistics/proportion.js';
import { draw, fileOf, plantIn } from './faults.mjs';
import { plant } from './plant.mjs';
import { DIRECTORY, isEquivalent, notRun, percent } from './report.mjs';
import { ROOMS } from './rooms.mjs';

const SCHEMA = 'dllm-npu/mutation-sample@2';

/**
 * Draws faults from files that were never mutated whole, and plants them room by room. A room whose sources and drawn faults are
 * the same is not run again. The report keeps what the tests of the day noticed, because tests that were written for the survivors
 * of a sample say nothing about what was not drawn; `again` plants the survivors once more and marks those noticed by now.
 */
export async function runSample({ todo, size, seed, again, warm }) {
  const path = join(DIRECTORY, `sample-${seed}.json`);
  const before = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).rooms : [];
  const rows = new Map(before.map((row) => [row.room, row]));
  const keep = () => write(path, { size, seed, rooms: [...rows.values()] });
  if (again) {
    for (const room of todo) {
      const row = rows.get(room.name);
      if (row === undefined) continue;
      await plantAgain(room, row, warm);
      rows.set(room.name, judged(row));
      keep();
    }
    return;
  }
  const files = Object.entries(notRun()).flatMap(([room, of]) => of.map((file) => ({ room, file })));
  const drawn = new Map((await draw({ files, size, seed })).map((row) => [row.room, row]));
  for (const room of todo) {
    const row = drawn.get(room.name);
    if (row === undefined) continue;
    const digest = digestOf(row.keys);
    const known = rows.get(room.name);
    if (known?.digest === digest && (warm || !known.warm)) {
      console.error(`${room.name}: kept`);
      continue;
    }
    console.log(`${room.name}: ${row.keys.length} faults of ${row.mutants}`);
    const { faults, cpuSeconds } = await plantKeys(room, row.keys, warm);
    const survivors = faults.filter(({ by, isLoadTime }) => by === null && !isLoadTime).map(shown);
    rows.set(room.name, judged({
      room: room.name, mutants: row.mutants, drawn: faults.length, digest, cpuSeconds, warm,
      loadTime: faults.filter(({ isLoadTime }) => isLoadTime).length,
      noticed: faults.filter(({ by }) => by !== null).length,
      timedOut: faults.filter(({ timedOut }) => timedOut).length,
      survivors,
    }));
    keep();
    const { noticed, survived, percent: share, low, high } = rows.get(room.name);
    console.log(`${room.name}: ${noticed} noticed, ${survived} not: ${share} % (${low} to ${high}), ${cpuSeconds} s of processor`);
  }
}

const shown = ({ file, line, key, code, was, becomes, reached }) => ({ file, line, key, code, was, becomes, reached });

const plantKeys = (room, keys, warm = false) => plant({ ...room, warm, sources: [...new Set(keys.map(fileOf))].sort(), keys: new Set(keys) });

async function plantAgain(room, row, warm) {
  const left = row.survivors.filter((survivor) => !survivor.noticedSince && !isEquivalent(survivor.file, survivor));
  if (left.length === 0) return;
  // A line may have moved since: the same text in the same line of code is the same fault.
  const { faults: now } = await plantIn([...new Set(left.map(({ file }) => file))].filter((file) => existsSync(file)));
  const isSame = (survivor) => (fault) => ['file', 'code', 'was', 'becomes'].every((name) => fault[name] === survivor[name]);
  const keyOf = (survivor) => (now.find(({ key }) => key === survivor.key) ?? now.find(isSame(survivor)))?.key;
  const { faults } = await plantKeys(room, left.flatMap((survivor) => keyOf(survivor) ?? []), warm);
  for (const survivor of left) {
    const fault = faults.find(({ key }) => key === keyOf(survivor));
    // Where the code has changed, the fault can be planted no more, and nothing is said of it.
    if (fault !== undefined && fault.by !== null) survivor.noticedSince = fault.by;
    console.log(`${survivor.file}:${survivor.line}: ${survivor.was} -> ${survivor.becomes}: ${fault === undefined ? 'stands no more' : (fault.by ?? 'not noticed')}`);
  }
}

function digestOf(keys) {
  const hash = createHash('sha256');
  for (const file of new Set(keys.map(fileOf))) hash.update(readFileSync(file));
  return hash.update(keys.join('\n')).digest('hex');
}

/** The share of the faults of a room that is noticed, with the 95 % interval of the draw; of those that can be. */
function judged(row) {
  const survived = row.survivors.filter((survivor) => !isEquivalent(survivor.file, survivor));
  const tried = row.noticed + survived.length;
  const { low, high } = wilson(row.noticed, tried);
  const { survivors, ...rest } = row;
  return {
    ...rest,
    survived: survived.length,
    equivalent: survivors.length - survived.length,
    noticedSince: survived.filter(({ noticedSince }) => noticedSince).length,
    percent: percent(row.noticed / tried),
    low: percent(low),
    high: percent(high),
    goal: ROOMS[row.room].goal,
    survivors,
  };
}

function write(path, { size, seed, rooms }) {
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ schema: SCHEMA, command: `npm run mutate -- --sample ${size} --seed ${seed}`, seed, rooms }, null, 1)}\n`);
}
