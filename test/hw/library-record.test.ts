import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { libraryRecord } from '../../hw/session/library-record.js';
import { fileSha256 } from '../../src/model/load.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('the record of a library', () => {
  it('has the version that it holds, and is that of the file as it is', async () => {
    const path = join(temporaryDirectory(), 'libQnnHtp.so');
    for (const version of ['v2.47.0.260601114230', 'v2.51.0.260929181845']) {
      writeFileSync(path, `elf ${version} elf`);
      const expected = { name: 'libQnnHtp.so', version, sha256: await fileSha256(path) };
      expect(await libraryRecord(path)).toMatchObject(expected);
      expect(await libraryRecord(path)).toMatchObject(expected);
    }
  });

  it('of the plugin says the version of its package, also of one that came later', async () => {
    const folder = temporaryDirectory();
    const path = join(folder, 'libonnxruntime_providers_qnn.so');
    writeFileSync(path, 'v2.47.0.260601114230');
    expect((await libraryRecord(path)).version).toBeNull();
    writeFileSync(join(folder, 'build_and_package_info.py'), "__version__ = '2.7.0'\n");
    expect((await libraryRecord(path)).version).toBe('2.7.0');
  });

  it('refuses what is not there', async () => {
    const missing = libraryRecord('/nonexistent/libQnnHtp.so');
    await expect(missing).rejects.toMatchObject({ exitCode: 3 });
  });
});
