import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AdbClient } from '../../../hw/runner/adb-client.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

it.skipIf(process.platform === 'win32')(
  'calls a phone on the network again when a call was lost',
  async () => {
    const folder = temporaryDirectory();
    const [adb, calls] = [join(folder, 'adb'), join(folder, 'calls')];
    // Stands in for adb, whose server loses the first call now and then: it says "connected", and lists no phone.
    writeFileSync(
      adb,
      `#!/bin/sh
case "$*" in
  connect*) echo call >> ${calls};;
  *wait-for-device) [ "$(wc -l < ${calls})" -gt 1 ] || exec sleep 60;;
  *get-state) exit 1;;
esac
`,
      { mode: 0o755 },
    );
    expect(await new AdbClient({ adb }).reconnect('127.0.0.1:5555')).toBe(true);
  },
);
