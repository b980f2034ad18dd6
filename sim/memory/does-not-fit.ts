import { UsageError } from '../../src/errors.js';
import { bytesText } from '../../src/util/bytes.js';

/** Something a step needs in the address window at once. */
export interface Need {
  readonly what: string;
  readonly bytes: number;
}

/** Most needs that are named. */
const LISTED = 5;

/** What makes a need smaller. */
const ADVICE: Readonly<Record<string, string>> = {
  'KV cache': 'it grows with the positions',
  activations: 'they grow with the rows of a pass',
};

/**
 * Says that a step does not fit a window, what it needs there, and which of it is the largest: the tensor that found
 * no room is seldom the one to blame.
 * @param missingBytes of the longest free range; none are missing where the mapper has no entry left
 * @param needs the last of them found no room
 */
export function doesNotFit(windowBytes: number, missingBytes: number, needs: readonly Need[]): UsageError {
  const present = needs.filter(({ bytes }) => bytes > 0);
  const largest = present.reduce((most, need) => (need.bytes > most.bytes ? need : most));
  const sorted = [...present].sort((a, b) => b.bytes - a.bytes);
  const rest = sorted.slice(LISTED).reduce((sum, { bytes }) => sum + bytes, 0);
  const list = [
    ...sorted.slice(0, LISTED).map(({ what, bytes }) => `${what} ${bytesText(bytes)}`),
    ...(sorted.length > LISTED ? [`${sorted.length - LISTED} more ${bytesText(rest)}`] : []),
  ].join(', ');
  const why =
    missingBytes > 0
      ? `${bytesText(missingBytes)} missing`
      : `whose mapper has no entry left for ${needs.at(-1)?.what}`;
  const advice = ADVICE[largest.what];
  return new UsageError(
    `the step does not fit the address window of ${bytesText(windowBytes)}, ${why}: at the same time it must hold ` +
      `${list}; the largest is ${largest.what}${advice === undefined ? '' : `: ${advice}`}`,
  );
}
