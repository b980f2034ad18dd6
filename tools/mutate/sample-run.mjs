import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wilson } from '../../dist/src/score/statistics/proportion.js';
import { BAD, DIRECTORY, isEquivalent, shown } from './report.mjs';
import { ROOMS } from './rooms.mjs';
import { draw, keyInReport, plantOnly, wasDrawn } from './sample.mjs';
import { base } from './stryker.config.mjs';

const SCHEMA = 'dllm-npu/mutation-sample@1';
const fileOf = (key) => key.slice(0, key.indexOf(' | '));

/**
 * Draws faults from files that were never mutated whole, and plants them part by part. The report is also where a run
 * goes on: a part whose sources and drawn faults are the same is not run again. It keeps what the tests of the day
 * noticed, because tests that were written for the survivors of a sample say nothing about what was not drawn; `again`
 * plants the survivors once more and marks those that are noticed by now.
 */
export async function runSample({ todo, size, seed, again, plant, never, globSync }) {
  const path = join(DIRECTORY, `sample-${seed}.json`);
  const before = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { parts: [] };
  const files = Object.entries(never).flatMap(([room, of]) => of.map((file) => ({ room, file })));
  const rooms = again ? before.rooms : await draw({ files, size, seed, mutator: base.mutator });
  const parts = new Map(before.parts.map((part) => [part.part, part]));
  for (const of of todo) {
    const known = parts.get(of.part);
    if (again) {
      if (known === undefined) continue;
      const left = known.survivors.filter((survivor) => !survivor.noticedSince && !isEquivalent(survivor.file, survivor));
      if (left.length === 0) continue;
      const { tried, survivors } = await plantKeys(of, left.map(({ key }) => key), plant);
      for (const survivor of left) {
        if (tried.has(survivor.key) && !survivors.some(({ key }) => key === survivor.key)) survivor.noticedSince = true;
      }
    } else {
      const inPart = new Set(globSync(of.mutate));
      const keys = rooms.flatMap(({ keys }) => keys).filter((key) => inPart.has(fileOf(key)));
      if (keys.length === 0) continue;
      const digest = digestOf(keys);
      if (known?.digest === digest) {
        console.error(`${of.room}, ${of.part}: kept`);
        continue;
      }
      const { tried, ...outcome } = await plantKeys(of, keys, plant);
      parts.set(of.part, { part: of.part, room: of.room, digest, ...outcome });
    }
    write(path, { size, seed, rooms, parts: [...parts.values()] });
  }
  write(path, { size, seed, rooms, parts: [...parts.values()] });
}

function digestOf(keys) {
  const hash = createHash('sha256');
  for (const file of new Set(keys.map(fileOf))) hash.update(readFileSync(file));
  return hash.update(keys.join('\n')).digest('hex');
}

/** Plants these faults of a part alone. */
async function plantKeys(of, keys, plant) {
  plantOnly(keys);
  const fileName = join(process.cwd(), '.stryker', `sample.${of.part}.report.json`);
  const seconds = await plant({ ...of, mutate: [...new Set(keys.map(fileOf))] }, { fileName, incremental: false });
  const { files } = JSON.parse(readFileSync(fileName, 'utf8'));
  const drawn = Object.entries(files).flatMap(([file, { source, mutants }]) => mutants.filter(wasDrawn).map((mutant) => ({ file, key: keyInReport(file, mutant), ...shown(source, mutant) })));
  const having = (...statuses) => drawn.filter(({ status }) => statuses.includes(status));
  const survivors = having(...BAD).map(({ mutator, status, ...rest }) => ({ ...rest, reached: status !== 'NoCoverage' }));
  const outcome = { drawn: drawn.length, loadTime: having('Ignored').length, noticed: having('Killed', 'Timeout', 'RuntimeError').length, timedOut: having('Timeout').length };
  console.log(`${of.room}, ${of.part}: ${outcome.noticed} noticed, ${survivors.length} not, ${seconds} s`);
  for (const { file, line, was, becomes } of survivors) console.log(`  ${file}:${line}: ${was}  ->  ${becomes}`);
  return { ...outcome, seconds, survivors, tried: new Set(drawn.map(({ key }) => key)) };
}

const percent = (fraction) => Math.round(1000 * fraction) / 10;
const sum = (rows, of) => rows.reduce((total, row) => total + of(row), 0);

/** The report: of each room the share of its faults that is noticed, with the 95 % interval of the draw; none of a room that is not done. */
function write(path, { size, seed, rooms, parts }) {
  const rows = rooms.map(({ room, mutants, keys, drawn = keys.length }) => {
    const of = parts.filter((part) => part.room === room);
    const noticed = sum(of, (part) => part.noticed);
    const survivors = of.flatMap((part) => part.survivors);
    const survived = survivors.filter((survivor) => !isEquivalent(survivor.file, survivor));
    const planted = {
      planted: sum(of, (part) => part.drawn),
      loadTime: sum(of, (part) => part.loadTime),
      noticed,
      timedOut: sum(of, (part) => part.timedOut),
      survived: survived.length,
      equivalent: survivors.length - survived.length,
      noticedSince: survived.filter(({ noticedSince }) => noticedSince).length,
    };
    const judged = noticed + survived.length;
    const isDone = planted.planted === drawn && judged > 0;
    const { low, high } = isDone ? wilson(noticed, judged) : { low: null, high: null };
    const score = isDone ? { percent: percent(noticed / judged), low: percent(low), high: percent(high) } : { percent: null, low, high };
    return { room, mutants, drawn, ...planted, ...score, goal: ROOMS[room].goal };
  });
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ schema: SCHEMA, command: `npm run mutate -- --sample ${size} --seed ${seed}`, seed, rooms: rows, parts }, null, 1)}\n`);
}
