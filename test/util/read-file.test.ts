import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DataError, EnvironmentError } from '../../src/errors.js';
import {
  isDirectory,
  readBytes,
  readDirectory,
  readJson,
  readJsonAs,
  readText,
} from '../../src/util/read-file.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const directory = temporaryDirectory();
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};

describe('reading files', () => {
  it.each([
    ['bytes', readBytes],
    ['text', readText],
    ['JSON', readJson],
    ['a directory', readDirectory],
    ['what a path is', isDirectory],
  ])('says that %s is missing', (_, read) => {
    const path = join(directory, 'nowhere');
    expect(() => read(path)).toThrow(EnvironmentError);
    expect(() => read(path)).toThrow(`cannot read ${path}: there is no such file`);
  });

  it('says that a directory is no file, and a file no directory', () => {
    expect(() => readText(directory)).toThrow(`cannot read ${directory}: it is a directory`);
    expect(() => readDirectory(file('plain', ''))).toThrow(EnvironmentError);
  });

  it('tells damage from absence', () => {
    expect(() => readText(file('utf16', new Uint8Array([0xff, 0xfe, 0x41, 0])))).toThrow(
      /not text \(UTF-8\)/,
    );
    expect(() => readJson(file('cut', '{"a":'))).toThrow(DataError);
    const schema = z.object({ a: z.object({ b: z.number() }) });
    expect(() => readJsonAs(file('other', '{"a":{"b":"1"}}'), schema)).toThrow(/other: a\.b: /);
    expect(readJsonAs(file('good', '{"a":{"b":1}}'), schema)).toEqual({ a: { b: 1 } });
  });
});
