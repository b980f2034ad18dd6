import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What is known of the faults of a run: one line of JSON for each thing found, so that a run that is stopped anywhere goes on from there. */
export const note = (path, line) => appendFileSync(path, `${JSON.stringify(line)}\n`);

/**
 * @returns `tests`: what each test hits with no fault on, `{ ms, hits: { id: count } }`; `hooks` and `loads`: what the hooks of a file
 *   hit, and what loading it; `verdicts`: `{ by, ms }` of those noticed, `{ by: null }` of those that were tried alone and not;
 *   `suspects`: noticed by a test that failed afterwards with no fault on, so that it must be tried alone; `tried`: `ID TEST`;
 *   `ended`: files; `cpuSeconds` of the processes that ended; `last`: what was begun last
 */
export function read(path) {
  const known = { tests: new Map(), hooks: new Map(), loads: new Map(), verdicts: new Map(), suspects: new Set(), tried: new Set(), ended: new Set(), failed: [], cpuSeconds: 0, last: null };
  if (!existsSync(path)) return known;
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    if (text === '') continue;
    const line = parsed(text);
    // The last line of a run that was killed may be half.
    if (line === null) continue;
    if (line.cpuSeconds !== undefined) {
      known.cpuSeconds += line.cpuSeconds;
      continue;
    }
    known.last = line;
    if (line.clean !== undefined) known.tests.set(line.clean, { ms: line.ms, hits: line.hits });
    if (line.hooks !== undefined) known.hooks.set(line.hooks, new Set(line.ids));
    if (line.loads !== undefined) known.loads.set(line.loads, new Set(line.ids));
    if (line.trying !== undefined) known.tried.add(`${line.trying} ${line.test}`);
    if (line.noticed !== undefined) known.verdicts.set(line.noticed, { by: line.by, ms: line.ms, timedOut: line.timedOut ?? false });
    if (line.survived !== undefined) known.verdicts.set(line.survived, { by: null });
    if (line.suspect !== undefined) {
      known.suspects.add(line.suspect);
      known.verdicts.delete(line.suspect);
    }
    if (line.failed !== undefined) known.failed.push(line);
    if (line.ended !== undefined) known.ended.add(line.ended);
  }
  return known;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
