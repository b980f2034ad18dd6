import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const LONGEST_S = 20;
/** Where a test file says why it takes that long: `// Longer than 20 s: because.`, over as many lines as it needs. */
const REASON = new RegExp(`^// Longer than ${LONGEST_S} s[^:\\n]*: (.*(?:\\n// .*)*)`, 'm');

/**
 * Test files of a run that took longer than 20 s, longest first, each with the reason that it states.
 * @param results what vitest's JSON reporter wrote, times in ms
 * @param root folder that names are relative to
 * @returns a line each
 */
export function slowFiles({ testResults }, root) {
  return testResults
    .map(({ name, startTime, endTime }) => ({ name, seconds: (endTime - startTime) / 1000 }))
    .filter(({ seconds }) => seconds > LONGEST_S)
    .sort((a, b) => b.seconds - a.seconds)
    .map(({ name, seconds }) => `${Math.round(seconds)} s: ${relative(root, name)}: ${reasonIn(readFileSync(name, 'utf8'))}`);
}

function reasonIn(text) {
  return REASON.exec(text)?.[1].replaceAll('\n// ', ' ') ?? 'says no reason';
}
