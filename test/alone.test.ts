import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ALONE } from '../vitest.config.js';

it('no file replaces modules or loads them anew where the next file would see it', () => {
  const root = join(import.meta.dirname, '..');
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('test', path));
  const replaces = /\bvi\.(mock|doMock|unmock|resetModules)\(/;
  const found = files.filter((path) => replaces.test(readFileSync(join(root, path), 'utf8')));
  expect(found.length).toBeGreaterThan(3);
  expect(found.filter((path) => !ALONE.includes(path))).toEqual([]);
});
