import { closeSync, linkSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EnvironmentError } from '../../src/errors.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const directory = () => temporaryDirectory();

describe('atomicWriteFile', () => {
  it('makes missing directories and leaves only the file', () => {
    const root = directory();
    atomicWriteFile(join(root, 'a', 'b.json'), '{"ü":1}\n');
    expect(readFileSync(join(root, 'a', 'b.json'), 'utf8')).toBe('{"ü":1}\n');
    expect(readdirSync(join(root, 'a'))).toEqual(['b.json']);
  });

  it('replaces an older file whole', () => {
    const path = join(directory(), 'file');
    atomicWriteFile(path, 'a long first version');
    atomicWriteFile(path, new Uint8Array([1, 2, 3]));
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
  });

  it('never shows a part: who reads the old file goes on reading the old file', () => {
    const root = directory();
    const path = join(root, 'file');
    atomicWriteFile(path, 'old');
    const reader = openSync(path, 'r');
    linkSync(path, join(root, 'other name'));
    atomicWriteFile(path, 'new');
    expect(readFileSync(reader, 'utf8')).toBe('old');
    closeSync(reader);
    expect(readFileSync(join(root, 'other name'), 'utf8')).toBe('old');
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  it('leaves no temporary file when the target cannot be replaced', () => {
    const root = directory();
    // A directory that is not empty cannot be the target of a rename.
    mkdirSync(join(root, 'taken', 'inner'), { recursive: true });
    expect(() => atomicWriteFile(join(root, 'taken'), 'x')).toThrow(EnvironmentError);
    expect(readdirSync(root)).toEqual(['taken']);
  });

  it('says what cannot be written', () => {
    const path = join(directory(), 'file');
    atomicWriteFile(path, 'x');
    expect(() => atomicWriteFile(join(path, 'below-a-file'), 'x')).toThrow(/^cannot write .*below-a-file/);
  });
});
