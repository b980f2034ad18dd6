import type * as Fs from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** What was done to files, in order. */
const done = vi.hoisted(() => [] as string[]);
/** Bytes that one `writeSync` takes at most. */
const limit = vi.hoisted(() => ({ bytes: Number.POSITIVE_INFINITY }));

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof Fs>();
  return {
    ...fs,
    writeSync: (file: number, bytes: Uint8Array, offset: number, length: number) => {
      done.push('write');
      return fs.writeSync(file, bytes, offset, Math.min(length, limit.bytes));
    },
    fsyncSync: (file: number) => {
      done.push('flush');
      fs.fsyncSync(file);
    },
    renameSync: (from: string, to: string) => {
      done.push('rename');
      fs.renameSync(from, to);
    },
  };
});

beforeEach(() => {
  done.length = 0;
  limit.bytes = Number.POSITIVE_INFINITY;
});

describe('an atomic write', () => {
  it('is on the disk before it gets its name: a power cut leaves the old file or the new one', () => {
    atomicWriteFile(`${temporaryDirectory()}/file`, 'content');
    expect(done).toEqual(['write', 'flush', 'rename']);
  });

  it('goes on when the system takes only a part of the bytes', async () => {
    const { readFileSync } = await import('node:fs');
    limit.bytes = 3;
    const path = `${temporaryDirectory()}/file`;
    atomicWriteFile(path, '0123456789');
    expect(readFileSync(path, 'utf8')).toBe('0123456789');
    expect(done).toEqual(['write', 'write', 'write', 'write', 'flush', 'rename']);
  });
});
