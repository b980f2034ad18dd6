import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';

const NOT_DRAWN = 'not drawn';

/** What a mutant is, whichever run lists it: where it stands, and what it puts there. */
const keyOf = ({ fileName, location: { start, end }, mutatorName, replacement }) =>
  [relative(process.cwd(), fileName), `${start.line}:${start.column}-${end.line}:${end.column}`, mutatorName, replacement].join(' | ');

const rank = (seed, key) => createHash('sha256').update(`${seed} ${key}`).digest('hex');

/**
 * Draws mutants of files: of each room a simple random sample, in proportion to its mutants but at least `least`.
 * The same seed draws the same mutants of the same sources, and a larger sample holds the smaller one.
 * @param files `{ room, file }`
 * @returns of each room, how many mutants it has and the keys of those drawn
 */
export async function draw({ files, size, seed, mutator, least = 30 }) {
  const quiet = { debug() {}, info() {}, isDebugEnabled: () => false };
  const options = { ignorers: [], plugins: null, ...mutator };
  const listed = new Map();
  for (const { room, file } of files) {
    const { mutants } = await new Instrumenter(quiet).instrument([{ name: file, mutate: true, content: readFileSync(file, 'utf8') }], options);
    listed.set(room, [...(listed.get(room) ?? []), ...mutants.filter(({ status }) => status === undefined).map(keyOf)]);
  }
  const all = [...listed.values()].reduce((sum, of) => sum + of.length, 0);
  return [...listed].map(([room, of]) => {
    const ranked = of.map((key) => [rank(seed, key), key]).sort(([a], [b]) => (a < b ? -1 : 1));
    const keys = ranked.slice(0, Math.max(least, Math.ceil((size * of.length) / all))).map(([, key]) => key);
    return { room, mutants: of.length, keys };
  });
}

const { instrument } = Instrumenter.prototype;

/** Lets Stryker plant the drawn mutants alone: its options name files and ranges, and a range holds others as well. */
export function plantOnly(keys) {
  const wanted = new Set(keys);
  Instrumenter.prototype.instrument = async function onlyDrawn(...args) {
    const result = await instrument.apply(this, args);
    for (const mutant of result.mutants) {
      if (mutant.status !== undefined || wanted.has(keyOf(mutant))) continue;
      mutant.status = 'Ignored';
      mutant.statusReason = NOT_DRAWN;
    }
    return result;
  };
}

/** Whether a mutant of Stryker's report was drawn. One that is run at load alone was, and could not be planted. */
export const wasDrawn = ({ status, statusReason = '' }) => status !== 'Ignored' || statusReason.startsWith('Static');

/** The key of a mutant of Stryker's report, which counts lines and columns from one. */
export function keyInReport(file, { location: { start, end }, mutatorName, replacement }) {
  const from0 = ({ line, column }) => ({ line: line - 1, column: column - 1 });
  return keyOf({ fileName: file, location: { start: from0(start), end: from0(end) }, mutatorName, replacement });
}
