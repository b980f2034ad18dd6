import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readJson, readText } from '../../src/util/read-file.js';

it('a byte-order mark is no part of a text or of JSON', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'bom-')), 'x.json');
  writeFileSync(path, '\uFEFF{"a":1}\n');
  expect(readText(path)).toBe('{"a":1}\n');
  expect(readJson(path)).toEqual({ a: 1 });
});
