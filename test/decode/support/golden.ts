import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, expect } from 'vitest';
import { letters } from './trajectory.js';

/**
 * What was, in letters, by section and name. `DLLM_WRITE_HASHES=1` writes a file of these anew, after looking: it says that something
 * changed, not that it was right. What is right is worked by hand in the tests beside.
 */
export class Golden {
  private readonly known: Record<string, Record<string, string>>;
  private readonly writes = process.env.DLLM_WRITE_HASHES !== undefined;

  /** @param name of a file in test/golden */
  constructor(name: string) {
    const file = new URL(`../../golden/${name}`, import.meta.url);
    this.known = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;
    afterAll(() => {
      if (this.writes) writeFileSync(file, `${JSON.stringify(this.known, null, 1)}\n`);
    });
  }

  /** @param explain says of a name what differs */
  compare(
    section: string,
    now: Readonly<Record<string, string>>,
    explain: (name: string, was: string) => string,
  ): void {
    if (this.writes) this.known[section] = { ...now };
    const known = this.known[section] ?? {};
    expect(Object.keys(now)).toEqual(Object.keys(known));
    for (const [name, text] of Object.entries(now))
      if (text !== known[name]) expect.fail(`${name}: ${explain(name, known[name])}`);
  }

  /** Values, each by six letters; where one differs, it is shown. */
  values(section: string, now: Readonly<Record<string, unknown>>): void {
    const text = Object.entries(now).map(([name, value]) => [name, letters(value, 6)]);
    this.compare(section, Object.fromEntries(text), (name) => `is now ${JSON.stringify(now[name])}`);
  }
}
