import { distance } from 'fastest-levenshtein';
import { UsageError } from '../errors.js';

/** Names at most this far away count as typos; further ones are noise. */
function tolerance(name: string): number {
  return Math.max(2, Math.floor(name.length / 2));
}

/**
 * Known names closest to `name` in edit distance, best first, at most three; ties keep the order of `known`.
 * Comparison ignores case. Empty when nothing is similar.
 */
export function nearest(name: string, known: readonly string[]): string[] {
  const wanted = name.toLowerCase();
  return known
    .map((candidate) => ({ candidate, edits: distance(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= tolerance(name) || candidate.toLowerCase().includes(wanted))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/**
 * The error for a name that does not exist: says what kind of thing was asked for and what was probably meant.
 * @param kind what the name should have named, e.g. `model`
 */
export function unknownName(kind: string, name: string, known: readonly string[]): UsageError {
  const close = nearest(name, known);
  const hint = close.length > 0 ? `did you mean ${close.join(', ')}?` : `known: ${known.join(', ')}`;
  return new UsageError(`unknown ${kind} "${name}": ${hint}`);
}
