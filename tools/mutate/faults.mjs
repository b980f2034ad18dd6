import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';

const NOT_WANTED = 'not wanted';
const QUIET = { debug() {}, info() {}, isDebugEnabled: () => false };
/** Texts are left as they are: a kind or a name is a closed type, so the compiler refuses another one; the rest is prose. */
const OPTIONS = { ignorers: [], plugins: null, excludedMutations: ['StringLiteral'] };

/** What a fault is, whichever run lists it: where it stands (lines and columns from 0), and what it puts there. */
const keyOf = ({ fileName, location: { start, end }, mutatorName, replacement }) =>
  [relative(process.cwd(), fileName), `${start.line}:${start.column}-${end.line}:${end.column}`, mutatorName, replacement].join(' | ');

export const fileOf = (key) => key.slice(0, key.indexOf(' | '));

/** An instrumenter that puts in what is wanted and nothing else: a switch costs time in a loop, whether it is used or not. */
function instrumenterOf(wanted) {
  const instrumenter = new Instrumenter(QUIET);
  const transform = instrumenter._transform;
  instrumenter._transform = (ast, collector, context) => {
    const collect = collector.collect;
    collector.collect = function only(...args) {
      const mutant = collect.apply(this, args);
      if (mutant.ignoreReason === undefined && !wanted(keyOf(mutant.toApiMutant()))) mutant.ignoreReason = NOT_WANTED;
      return mutant;
    };
    transform(ast, collector, context);
  };
  return instrumenter;
}

/**
 * Puts faults into sources, each behind a switch of its own: `globalThis.__stryker__.activeMutant` is the id of the one that is on.
 * @param keys those that are wanted; undefined: all
 * @returns the faults, `{ id, key, file, line, code, was, becomes }`, and of each file its text with the switches
 */
export async function plantIn(files, keys) {
  const wanted = keys === undefined ? () => true : (key) => keys.has(key);
  const sources = new Map(files.map((name) => [name, readFileSync(name, 'utf8')]));
  const result = await instrumenterOf(wanted).instrument([...sources].map(([name, content]) => ({ name, mutate: true, content })), OPTIONS);
  const faults = result.mutants.filter(({ status }) => status === undefined).map((mutant) => {
    const key = keyOf(mutant);
    return { id: mutant.id, key, file: fileOf(key), ...shown(sources.get(mutant.fileName), mutant) };
  });
  return { faults, texts: Object.fromEntries(result.files.map(({ name, content }) => [name, content])) };
}

const squeeze = (text) => text.replace(/\s+/g, ' ').trim();

/** A fault as a reader sees it, lines from 1: the text that stood there, and what took its place. */
function shown(source, { location: { start, end }, replacement }) {
  const lines = source.split('\n');
  const cut =
    start.line === end.line
      ? lines[start.line].slice(start.column, end.column)
      : [lines[start.line].slice(start.column), ...lines.slice(start.line + 1, end.line), lines[end.line].slice(0, end.column)].join('\n');
  return { line: start.line + 1, code: squeeze(lines[start.line]), was: squeeze(cut), becomes: squeeze(replacement ?? '') };
}

const rank = (seed, key) => createHash('sha256').update(`${seed} ${key}`).digest('hex');

/**
 * Draws faults of files: of each room a simple random sample, in proportion to its faults but at least `least`.
 * The same seed draws the same faults of the same sources, and a larger sample holds the smaller one.
 * @param files `{ room, file }`
 * @returns of each room, how many faults it has and the keys of those drawn
 */
export async function draw({ files, size, seed, least = 30 }) {
  const listed = new Map();
  for (const { room, file } of files) {
    const { faults } = await plantIn([file]);
    listed.set(room, [...(listed.get(room) ?? []), ...faults.map(({ key }) => key)]);
  }
  const all = [...listed.values()].reduce((sum, of) => sum + of.length, 0);
  return [...listed].map(([room, of]) => {
    const ranked = of.map((key) => [rank(seed, key), key]).sort(([a], [b]) => (a < b ? -1 : 1));
    const keys = ranked.slice(0, Math.max(least, Math.ceil((size * of.length) / all))).map(([, key]) => key);
    return { room, mutants: of.length, keys };
  });
}
