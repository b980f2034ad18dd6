import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';

const { root } = project();
const json = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));

describe('mutation testing', () => {
  it('calls equivalent only what still stands in the code, each with its reason', () => {
    const equivalents: { file: string; code: string; becomes: string; reason: string }[] = json(
      'tools/mutate/equivalent.json',
    );
    for (const { file, code, reason } of equivalents) {
      const lines = readFileSync(join(root, file), 'utf8').split('\n');
      expect(
        lines.map((line) => line.replace(/\s+/g, ' ').trim()),
        file,
      ).toContain(code);
      expect(reason.length, code).toBeGreaterThan(20);
    }
  });

  it('breaks each promise at a line that stands once, and names tests that exist', () => {
    const faults: { promise: string; file: string; was: string; becomes: string; tests: string[] }[] = json(
      'tools/mutate/promises.json',
    );
    expect(new Set(faults.map(({ promise }) => promise)).size).toBe(faults.length);
    for (const { promise, file, was, becomes, tests } of faults) {
      expect(readFileSync(join(root, file), 'utf8').split(was), promise).toHaveLength(2);
      expect(becomes, promise).not.toBe(was);
      for (const test of tests) expect(existsSync(join(root, test)), test).toBe(true);
    }
  });

  it('knows the folders of every room', async () => {
    const { ROOMS, roomOf } = (await import(join(root, 'tools/mutate/rooms.mjs'))) as {
      ROOMS: Record<string, { sources: string[]; tests: string[] }>;
      roomOf: (name: string) => { sources: string[]; tests: string[] };
    };
    for (const [room, { sources, tests }] of Object.entries(ROOMS)) {
      for (const glob of [...sources, ...tests]) {
        const folder = glob.split(/\/[^/]*[*{]/)[0];
        expect(existsSync(join(root, folder)), glob).toBe(true);
      }
      const found = roomOf(room);
      expect(found.sources.length, room).toBeGreaterThan(0);
      expect(found.tests.length, room).toBeGreaterThanOrEqual(tests.length);
    }
  });

  it('has a report of files that exist', () => {
    const { files } = json('results/reference/mutation/summary.json') as { files: { file: string }[] };
    expect(files.length).toBeGreaterThan(0);
    for (const { file } of files) expect(existsSync(join(root, file)), file).toBe(true);
  });
});
