import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

interface Results {
  readonly testResults: readonly {
    readonly name: string;
    readonly startTime: number;
    readonly endTime: number;
  }[];
}

it('names the test files over 20 s, longest first, with the reason that each states', async () => {
  const { slowFiles } = (await import(join(project().root, 'tools/slow-files.mjs'))) as {
    slowFiles: (results: Results, root: string) => string[];
  };
  const root = temporaryDirectory();
  const took = (name: string, seconds: number, text: string) => {
    const path = join(root, name);
    writeFileSync(path, text);
    return { name: path, startTime: 1000, endTime: 1000 + 1000 * seconds };
  };
  const testResults = [
    took('quick.test.ts', 19.9, ''),
    took('silent.test.ts', 21, "it('x')"),
    took('slow.test.ts', 40.4, "// Longer than 20 s on a busy machine: waits for\n// a phone.\nit('x')"),
  ];
  expect(slowFiles({ testResults }, root)).toEqual([
    '40 s: slow.test.ts: waits for a phone.',
    '21 s: silent.test.ts: says no reason',
  ]);
});
