import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { qnnAdvice } from '../../../hw/qnn/advice.js';
import { binaryArch } from '../../../hw/qnn/binary-arch.js';
import { qnnConfiguration } from '../../../hw/qnn/configuration.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

describe('what to do next', () => {
  it.each([
    // origin: recorded-emulator (plugins 2.3.0 and 2.7.0 on x86-64)
    [
      'Failed to finalize QNN graph. Error: QNN_COMMON_ERROR_MEM_ALLOC: Memory allocation',
      /rejects this graph: try --numerics f16/,
    ],
    ['FP16 precision mode is enabled but soc_model is not specified. Both parameters', /--soc-model 69/],
    [
      'graph nodes that are assigned to the default CPU EP, but fallback to CPU EP has been explicitly disabled by the user.',
      /declined the graph/,
    ],
    ['Failed to load from EpContext model. Failed to get context binary info.', /remove its folder/],
    ['Unable to find a valid interface for /x/libQnnCpu.so', /different releases are mixed/],
    // origin: upstream-doc (issue threads of onnxruntime and executorch)
    [
      'QnnDsp <E> Stub lib id mismatch: expected (v2.28.2.241116104011_103376), detected (v2.25.17)',
      /different releases/,
    ],
    ['QnnDsp <E> Unable to load Skel Library. transportStatus: 9', /libQnnHtpV\*Skel\.so/],
    ['QnnDsp <E> Transport layer setup failed, error: 14001', /device doctor/],
    ['libatomic.so.1: cannot open shared object file: No such file or directory', /glibc 2\.35.*libatomic/],
  ])('after "%s"', (said, next) => expect(qnnAdvice(said)).toMatch(next));

  it('is nothing after words that nobody has seen yet', () => {
    expect(qnnAdvice('something else')).toBeUndefined();
  });
});

describe('a library of another architecture', () => {
  /** The start of a library: ELF with this machine, or PE. */
  const elf = (machine: number) => {
    const header = Buffer.alloc(64);
    header.writeUInt32BE(0x7f454c46, 0);
    header.writeUInt16LE(machine, 18);
    return header;
  };
  const pe = (machine: number) => {
    const header = Buffer.alloc(256);
    header.write('MZ', 0);
    header.writeUInt32LE(128, 0x3c);
    header.write('PE', 128);
    header.writeUInt16LE(machine, 132);
    return header;
  };

  it('is told by its header', () => {
    const path = join(temporaryDirectory(), 'library');
    const archOfFile = (content: Buffer) => {
      writeFileSync(path, content);
      return binaryArch(path);
    };
    expect([elf(62), elf(183), elf(164), pe(0x8664), pe(0xaa64)].map(archOfFile)).toEqual([
      'x64',
      'arm64',
      'other',
      'x64',
      'arm64',
    ]);
    expect([Buffer.from('text'), Buffer.from('MZ'), Buffer.alloc(0)].map(archOfFile)).toEqual([
      null,
      null,
      null,
    ]);
  });

  it('is refused before anything is started', () => {
    const directory = temporaryDirectory();
    const names =
      process.platform === 'win32'
        ? ['onnxruntime_providers_qnn.dll', 'QnnHtp.dll']
        : ['libonnxruntime_providers_qnn.so', 'libQnnHtp.so'];
    for (const name of names) writeFileSync(join(directory, name), elf(183));
    expect(() => qnnConfiguration({ directory, backend: 'htp', halves: true, arch: 'x64' })).toThrow(
      /is built for arm64, this machine is x64.*device fetch/,
    );
  });
});

describe('a backend without its part for the DSP', () => {
  it('is refused on arm64 before anything is started, naming the file', () => {
    const directory = temporaryDirectory();
    for (const file of [
      'libonnxruntime_providers_qnn.so',
      'libQnnHtp.so',
      'onnxruntime_providers_qnn.dll',
      'QnnHtp.dll',
    ]) {
      writeFileSync(join(directory, file), '');
    }
    const asked = { directory, backend: 'htp', halves: true } as const;
    expect(() => qnnConfiguration({ ...asked, arch: 'arm64' })).toThrow(
      /libQnnHtpV\*Skel\.so is not in .*device fetch/,
    );
    expect(qnnConfiguration({ ...asked, arch: 'x64' }).fallbackDisabled).toBe(true);
    writeFileSync(join(directory, 'libQnnHtpV79Skel.so'), '');
    expect(qnnConfiguration({ ...asked, arch: 'arm64' }).config).toEqual({
      'session.disable_cpu_ep_fallback': '1',
    });
  });
});
