import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchPackage } from '../../../hw/qnn/fetch-package.js';
import { packageDirectory, packagesFor, QNN_PACKAGES, type QnnPackage } from '../../../hw/qnn/packages.js';
import { fileSha256 } from '../../../src/model/load.js';
import { cli } from '../../support/run-cli.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const PYTHON = 'python3';

function hasPip(): boolean {
  try {
    execFileSync(PYTHON, ['-m', 'pip', '--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const pip = hasPip();
if (!pip) console.warn('skipped: fetching of packages, 6 tests: python3 with pip is not installed');

/** A wheel of the package's name with these members, and the pip settings that make it the only source. */
async function shelf(
  members: Readonly<Record<string, string>>,
): Promise<{ wheel: QnnPackage; env: Record<string, string> }> {
  const folder = temporaryDirectory();
  const name = 'onnxruntime_qnn-9.9.9-cp311-cp311-manylinux_2_35_x86_64.whl';
  const info = 'onnxruntime_qnn-9.9.9.dist-info';
  const all = {
    ...members,
    [`${info}/METADATA`]: 'Metadata-Version: 2.1\nName: onnxruntime-qnn\nVersion: 9.9.9\n',
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-manylinux_2_35_x86_64\n',
    [`${info}/RECORD`]: '',
  };
  const write =
    'import json, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as z:\n  for k, v in json.loads(sys.argv[2]).items(): z.writestr(k, v)';
  execFileSync(PYTHON, ['-c', write, join(folder, name), JSON.stringify(all)]);
  const wheel: QnnPackage = {
    version: '9.9.9',
    machine: 'linux-x64',
    tag: 'manylinux_2_35_x86_64',
    megabytes: 1,
    sha256: await fileSha256(join(folder, name)),
    purpose: 'test',
    libraries: ['libQnnHtp.so'],
  };
  return { wheel, env: { PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder } };
}

const PLUGIN = 'onnxruntime_qnn/libonnxruntime_providers_qnn.so';

describe.skipIf(!pip)('fetching a package', () => {
  it('unpacks what a run needs with its licence, once', async () => {
    const cache = temporaryDirectory();
    const { wheel, env } = await shelf({
      [PLUGIN]: 'p',
      'onnxruntime_qnn/libQnnHtp.so': 'h',
      'onnxruntime_qnn/libGenie.so': 'g',
      'onnxruntime_qnn.libs/libc++.so.1': 'c',
      'onnxruntime_qnn/Qualcomm_LICENSE.pdf': 'l',
    });
    const first = await fetchPackage(wheel, { cache, env });
    expect(first.state).toBe('fetched');
    expect(readdirSync(first.libraries).sort()).toEqual([
      'Qualcomm_LICENSE.pdf',
      'libQnnHtp.so',
      'libonnxruntime_providers_qnn.so',
    ]);
    expect(existsSync(join(first.directory, 'onnxruntime_qnn.libs', 'libc++.so.1'))).toBe(true);
    const again = await fetchPackage(wheel, { cache, env: { PIP_NO_INDEX: '1' } });
    expect(again).toEqual({ ...first, state: 'present' });
    expect(readdirSync(join(cache, 'qnn'))).toEqual(['9.9.9-linux-x64']);
  });

  it('refuses other bytes and a wheel without its library, leaving nothing but the reason', async () => {
    const { wheel, env } = await shelf({ [PLUGIN]: 'p' });
    for (const [asked, reason] of [
      [{ ...wheel, sha256: '0'.repeat(64) }, /SHA-256 [0-9a-f]{64}, expected 0{64}/],
      [wheel, /does not carry libQnnHtp\.so/],
    ] as const) {
      const cache = temporaryDirectory();
      await expect(fetchPackage(asked, { cache, env })).rejects.toMatchObject({ exitCode: 3 });
      expect(readdirSync(join(cache, 'qnn'))).toEqual(['9.9.9-linux-x64.refused.txt']);
      expect(readFileSync(join(cache, 'qnn', '9.9.9-linux-x64.refused.txt'), 'utf8')).toMatch(reason);
    }
  });

  it("repeats pip's words when pip has no such package", async () => {
    const { wheel, env } = await shelf({});
    const asked = fetchPackage({ ...wheel, version: '9.9.8' }, { cache: temporaryDirectory(), env });
    await expect(asked).rejects.toThrow(/pip said: ERROR: .*onnxruntime-qnn==9\.9\.8.*set QNN_EP_DIR/);
  });

  it('takes up a place that a killed run left without its manifest', async () => {
    const cache = temporaryDirectory();
    const { wheel, env } = await shelf({ [PLUGIN]: 'p', 'onnxruntime_qnn/libQnnHtp.so': 'h' });
    mkdirSync(join(packageDirectory(cache, wheel), 'onnxruntime_qnn'), { recursive: true });
    expect((await fetchPackage(wheel, { cache, env })).state).toBe('fetched');
  });
});

describe('without pip', () => {
  it('says what was tried and what to install', async () => {
    const asked = fetchPackage(QNN_PACKAGES[0], {
      cache: temporaryDirectory(),
      pythons: ['no-such-python'],
    });
    await expect(asked).rejects.toThrow(/no-such-python is not installed.*Install Python 3 with pip/);
  });

  it.skipIf(!pip)('passes over a Python that has none', async () => {
    const without = join(temporaryDirectory(), 'python');
    // Alone with its own library, in which there is no pip.
    writeFileSync(without, `#!/bin/sh\nexec ${PYTHON} -S -I "$@"\n`, { mode: 0o755 });
    const asked = fetchPackage(QNN_PACKAGES[0], { cache: temporaryDirectory(), pythons: [without] });
    await expect(asked).rejects.toThrow(/python has no pip.*Install Python 3 with pip/);
  });
});

describe('device fetch', () => {
  it.skipIf(packagesFor().length === 0)('names the versions there are for an unknown one', async () => {
    const { code, stderr } = await cli(['device', 'fetch', '--package', '1.0.0']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--package 1\.0\.0: for \S+ there are .*2\.7\.0/);
  });

  it.skipIf(!pip || packagesFor().length === 0)(
    'tries every package and repeats what pip said of each',
    async () => {
      const usual = process.env.PIP_NO_INDEX;
      process.env.PIP_NO_INDEX = '1';
      try {
        const env = { DLLM_NPU_CACHE: temporaryDirectory() };
        const { code, stdout, stderr } = await cli(['device', 'fetch', '--json'], { env });
        expect(code).toBe(3);
        const { packages, refusals } = JSON.parse(stdout) as { packages: unknown[]; refusals: string[] };
        expect(packages).toEqual([]);
        expect(refusals).toHaveLength(packagesFor().length);
        for (const { version } of packagesFor())
          expect(stderr).toMatch(new RegExp(`error: .*${version}: fetch QNN: pip said`));
      } finally {
        if (usual === undefined) delete process.env.PIP_NO_INDEX;
        else process.env.PIP_NO_INDEX = usual;
      }
    },
  );
});
