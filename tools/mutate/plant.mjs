import { plantIn } from './faults.mjs';
import { tryFaults } from './try-faults.mjs';

/**
 * Plants faults of files, as `tryFaults`.
 * @param sources the files to plant in; @param keys which faults; undefined: all; @param about what a test is about, where it tries no other faults
 */
export async function plant({ sources, keys, about, ...room }) {
  const { faults, texts } = await plantIn(sources, keys);
  const may = ({ file }) => room.tests.filter((test) => file.startsWith(about.get(test) ?? ''));
  return tryFaults({ ...room, texts, loads: true, faults: faults.map((fault) => ({ ...fault, tests: may(fault) })) });
}
