import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  decodeRaw,
  encodeRaw,
  type QnnDataType,
  type RawTensor,
} from '../../../hw/qnn/raw-tensor.js';
import { generatorArgs, netRunArgs, utilityArgs, viewerArgs } from '../../../hw/qnn/tools-command.js';
import { parseContextInfo, requireArch, requireBuild } from '../../../hw/qnn/tools-context.js';
import { inputList, readOutput, tensorFor } from '../../../hw/qnn/tools-files.js';
import { parseViewerCsv } from '../../../hw/qnn/tools-profile.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { goldenTexts } from '../golden-logs.js';

const golden = goldenTexts('qnn/tools.json');

describe('command lines of the QNN tools', () => {
  it('run a context binary on a phone as upstream does', () => {
    // origin: upstream-doc (LiteRT's Qualcomm guide), its arguments in our order
    const args = netRunArgs({
      backend: 'libQnnHtp.so',
      graph: { context: 'm.bin' },
      inputList: 'L',
      outputDirectory: 'O',
      configFile: 'config.json',
      profilingLevel: 'detailed',
      optrace: true,
    });
    expect(args.join(' ')).toBe(
      '--backend libQnnHtp.so --retrieve_context m.bin --input_list L --output_dir O --use_native_input_files --use_native_output_files --config_file config.json --profiling_level detailed --profiling_option optrace',
    );
  });

  it('prepare a DLC on the spot', () => {
    const graph = { dlc: 'm.dlc', loader: 'libQnnModelDlc.so' };
    const args = netRunArgs({ backend: 'libQnnCpu.so', graph, inputList: 'L', outputDirectory: 'O' });
    expect(args.join(' ')).toMatch(/--model libQnnModelDlc\.so --dlc_path m\.dlc --input_list L/);
  });

  it('compile, describe and view as upstream does', () => {
    // origin: upstream-doc (LiteRT's Qualcomm guide)
    const options = {
      backend: 'libQnnHtp.so',
      loader: 'libQnnModelDlc.so',
      dlc: 'm.dlc',
      binary: 'm',
      outputDirectory: 'd',
    };
    expect(generatorArgs(options).join(' ')).toBe(
      '--backend libQnnHtp.so --model libQnnModelDlc.so --dlc_path m.dlc --binary_file m --output_dir d',
    );
    expect(utilityArgs('m.bin', 'm.json')).toEqual(['--context_binary', 'm.bin', '--json_file', 'm.json']);
    expect(viewerArgs('x.log', 'y.csv')).toEqual(['--input_log', 'x.log', '--output', 'y.csv']);
  });

  it('refuse options that contradict each other', () => {
    const base = { backend: 'b', graph: { context: 'c' }, inputList: 'L', outputDirectory: 'O' };
    expect(() => netRunArgs({ ...base, optrace: true })).toThrow(/optrace needs profilingLevel detailed/);
    expect(() => netRunArgs({ ...base, backend: '' })).toThrow(/qnn-net-run: backend/);
    const bad = { backend: 'b', loader: 'l', dlc: 'd', binary: 'a/b', outputDirectory: 'o' };
    expect(() => generatorArgs(bad)).toThrow(/is a name, not a path/);
  });
});

describe('files of the QNN tools', () => {
  const tensor = (dataType: QnnDataType, dims: number[], quantised = {}): RawTensor => ({
    name: 't',
    dataType,
    dims,
    ...quantised,
  });

  it('hold floats and integers as they are', () => {
    const values = new Float32Array([0, -1.5, 3e-5, 1e9]);
    expect(
      decodeRaw(
        encodeRaw(values, tensor('QNN_DATATYPE_FLOAT_32', [2, 2])),
        tensor('QNN_DATATYPE_FLOAT_32', [4]),
      ),
    ).toEqual(values);
    const ids = new Int32Array([0, -1, 2 ** 31 - 1]);
    expect([...encodeRaw(ids, tensor('QNN_DATATYPE_INT_32', [3]))]).toEqual([
      0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127,
    ]);
    const half = decodeRaw(
      encodeRaw(new Float32Array([0.1, 65504]), tensor('QNN_DATATYPE_FLOAT_16', [2])),
      tensor('QNN_DATATYPE_FLOAT_16', [2]),
    );
    expect([...half]).toEqual([expect.closeTo(0.1, 4), 65504]);
  });

  it.each([
    ['QNN_DATATYPE_UFIXED_POINT_8', 0, 255],
    ['QNN_DATATYPE_SFIXED_POINT_8', -128, 127],
    ['QNN_DATATYPE_UFIXED_POINT_16', 0, 65535],
    ['QNN_DATATYPE_SFIXED_POINT_16', -32768, 32767],
  ] as const)('hold %s within half a step, and its ends beyond (property)', (dataType, lowest, highest) => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-4, max: 10, noNaN: true }),
        fc.integer({ min: -highest, max: 0 }),
        fc.array(fc.double({ min: -1e5, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (scale, offset, list) => {
          const shape = tensor(dataType, [list.length], { scale, offset });
          const back = decodeRaw(encodeRaw(new Float32Array(list), shape), shape);
          const [least, most] = [(lowest + offset) * scale, (highest + offset) * scale];
          list.forEach((value, at) => {
            const nearest = Math.min(most, Math.max(least, Math.fround(value)));
            // f32 rounds what it gives back.
            expect(Math.abs(back[at] - nearest)).toBeLessThanOrEqual(
              scale / 2 + 1e-6 * (Math.abs(nearest) + scale),
            );
          });
        },
      ),
    );
  });

  it('of the wrong size are named', () => {
    const shape = tensor('QNN_DATATYPE_FLOAT_16', [4]);
    expect(() => encodeRaw(new Float32Array(3), shape)).toThrow(/t has 4 elements, not 3/);
    expect(() => decodeRaw(Buffer.alloc(16), shape)).toThrow(
      /t has 16 bytes, not 8: it is not of QNN_DATATYPE_FLOAT_16 \[4\]/,
    );
    expect(bytesOf(shape)).toBe(8);
  });

  it('are listed by name, one line per execution', () => {
    const one = new Map([
      ['ids', '/d/0.raw'],
      ['k', '/d/1.raw'],
    ]);
    expect(inputList([one, one])).toBe('ids:=/d/0.raw k:=/d/1.raw\nids:=/d/0.raw k:=/d/1.raw\n');
    for (const path of ['/a b', '/a,b', '/a:=b', '/a\nb']) {
      expect(() => inputList([new Map([['x', path]])])).toThrow(/cannot stand in an input list/);
    }
  });

  it('are found under QNN spellings of a name, native or not', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'Result_0'));
    const output: RawTensor = { name: 'blk.0/out', dataType: 'QNN_DATATYPE_FLOAT_32', dims: [1] };
    expect(() => readOutput(directory, 0, output)).toThrow(/Result_0 has no blk\.0\/out; it has nothing/);
    writeFileSync(
      join(directory, 'Result_0', 'blk_0_out_native.raw'),
      encodeRaw(new Float32Array([7]), output),
    );
    expect([...readOutput(directory, 0, output)]).toEqual([7]);
    expect(() => readOutput(directory, 1, output)).toThrow(/stopped before that execution/);
    expect(tensorFor([{ ...output, name: '_blk_0_out' }], 'blk.0/out', 'graph').name).toBe('_blk_0_out');
    expect(() => tensorFor([output], 'logits', 'graph r32')).toThrow(
      /graph r32 has no tensor logits; it has blk\.0\/out/,
    );
  });
});

describe('what the QNN tools say', () => {
  it('of a context: graphs, types and scales', () => {
    const info = parseContextInfo(golden.context ?? '', 'm.bin');
    expect(info).toMatchObject({ buildId: 'v2.45.0.260326154327', htpArch: 'v79' });
    expect(info.graphs[0]).toEqual({
      name: 'step',
      inputs: [
        { name: 'ids', dataType: 'QNN_DATATYPE_INT_32', dims: [32] },
        {
          name: 'past_k_0',
          dataType: 'QNN_DATATYPE_UFIXED_POINT_16',
          dims: [64, 128],
          scale: 0.00025,
          offset: -32768,
        },
      ],
      outputs: [{ name: 'logits', dataType: 'QNN_DATATYPE_FLOAT_16', dims: [32, 640] }],
    });
    expect(() => parseContextInfo('Error', 'm.bin')).toThrow(
      /m\.bin: qnn-context-binary-utility wrote no JSON/,
    );
    expect(() => parseContextInfo('{"info":{}}', 'm.bin')).toThrow(/info\.buildId/);
    const odd = (golden.context ?? '').replace('QNN_DATATYPE_FLOAT_16', 'QNN_DATATYPE_BOOL_8');
    expect(() => parseContextInfo(odd, 'm.bin')).toThrow(/logits is of QNN_DATATYPE_BOOL_8/);
  });

  it('of versions: an older library does not run a newer context', () => {
    const context = { buildId: 'v2.45.0.260326154327', htpArch: 'v79', graphs: [] };
    for (const build of ['v2.45.0.260101000000', 'v2.51.0.260929181845', null])
      requireBuild(context, build, 'm.bin');
    expect(() => requireBuild(context, 'v2.44.9.260101000000', 'm.bin')).toThrow(
      /m\.bin was made by QNN v2\.45\.0\.260326154327, the libraries are v2\.44\.9/,
    );
    expect(() => requireBuild(context, 'v3.0.0.260101000000', 'm.bin')).toThrow(/newer SDK/);
    for (const arch of ['v79', 'v81', null]) requireArch(context, arch, 'm.bin');
    expect(() => requireArch(context, 'v75', 'm.bin')).toThrow(
      /m\.bin was compiled for an NPU v79, the phone has v75/,
    );
  });

  it('of time: one execution after the other, operators below their sum', () => {
    const executions = parseViewerCsv(golden.viewer ?? '', 'profile');
    expect(executions).toHaveLength(2);
    expect(executions[0]).toEqual({
      us: 3278,
      acceleratorUs: 1851,
      acceleratorCycles: 149241,
      nodes: [
        { node: '_Transpose_3', cycles: 13807, us: null },
        { node: '_MatMul_3', cycles: 7492, us: null },
      ],
    });
    expect(executions[1]).toMatchObject({
      acceleratorCycles: 149000,
      nodes: [{ node: '_Softmax', cycles: 6984 }],
    });
  });

  it('of time is refused when it does not fit together', () => {
    expect(() => parseViewerCsv('a,b\n1,2\n', 'p')).toThrow(/no line has the columns of qnn-profile-viewer/);
    const cut = (golden.viewer ?? '').replace(/\n[^\n]*1840,US[^\n]*/, '');
    expect(() => parseViewerCsv(cut, 'p')).toThrow(/1 times "accelerator" for 2 executions/);
    expect(() => parseViewerCsv(`${golden.viewer}junk\n`, 'p')).toThrow(/line \d+ is no event: "junk"/);
  });
});
