import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EnvironmentError } from '../../src/errors.js';
import { checkWritableDirectory, checkWritableFile } from '../../src/util/check-writable.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const directory = temporaryDirectory();
const locked = join(directory, 'locked');
mkdirSync(locked);
const mounted =
  process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', locked]).status === 0;
afterAll(() => {
  if (mounted) spawnSync('umount', [locked]);
});

describe('a place that cannot be written', () => {
  it('is named before anything is computed', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(() => checkWritableDirectory(join(file, 'below'))).toThrow(`${file} is not a directory`);
    expect(() => checkWritableFile(directory)).toThrow('it is a directory');
    expect(() => checkWritableFile(join(directory, 'a', 'b'))).not.toThrow();
  });

  it.skipIf(!mounted)('is said to be read-only where the file system is', () => {
    for (const check of [checkWritableDirectory, checkWritableFile]) {
      expect(() => check(join(locked, 'a'))).toThrow(EnvironmentError);
      expect(() => check(join(locked, 'a'))).toThrow(`${locked} is on a read-only file system`);
    }
  });
});
