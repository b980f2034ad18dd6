import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, it } from 'vitest';
import { readCompareReport } from '../../hw/compare/report.js';
import { parseBench } from '../../hw/ggml/bench.js';
import { parseDiffusionText, parseDiffusionTiming } from '../../hw/ggml/diffusion-cli.js';
import { parseProfileLog } from '../../hw/ggml/profile-log.js';
import { readProfile } from '../../hw/ggml/read-profile.js';
import { parseSessionLog } from '../../hw/ggml/session-log.js';
import { parsePackets } from '../../hw/hvx/packets.js';
import { parseQnnProfile } from '../../hw/qnn/profile.js';
import { parseContextInfo } from '../../hw/qnn/tools-context.js';
import { parseViewerCsv } from '../../hw/qnn/tools-profile.js';
import { deviceRecord, readDeviceRecord } from '../../hw/record/device-record.js';
import { parseAdbDevices, selectDevice } from '../../hw/runner/adb-devices.js';
import type { CommandRunner } from '../../hw/runner/command-runner.js';
import { readTarget } from '../../hw/runner/target.js';
import { project } from '../../src/util/project-root.js';
import { goldenTexts } from '../hw/golden-logs.js';
import { damaged } from '../support/damaged-text.js';
import { readsOrRefuses, reportDraws } from '../support/reader-limits.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Cases a reader; `npm run fuzz` raises it. */
const RUNS = Number(process.env.DLLM_FUZZ_RUNS ?? 200);

const { root } = project();
const directory = temporaryDirectory();
const fileOf = (text: string, name: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const qnnProfile = (name: string): string =>
  readFileSync(join(root, `test/hw/qnn/fixtures/profile-${name}.csv`), 'utf8').replace(/^#.*\n/, '');
/** A phone that says one thing whatever it is asked. */
const answering = (stdout: string) =>
  ({ name: 'phone', exec: async () => ({ exitCode: 0, stdout, stderr: '' }) }) as unknown as CommandRunner;
const record = deviceRecord(
  {
    ...{
      targetArch: 'x64',
      backend: 'htp',
      backendFile: '/x/libQnnHtp.so',
      fallbackDisabled: true,
      created: true,
    },
    ...{ foreignNodes: 0, socId: '69', acceleratorCycles: 1000 },
  },
  {
    ...{ tool: { name: 'test', version: null }, files: [], options: {}, runs: [], failure: null },
    target: { soc: null, htpArch: null, os: null },
    model: { name: 'm', numerics: 'f16' },
    startedAt: '2026-01-01T00:00:00Z',
  },
);

const ggml = goldenTexts('ggml/logs.json');
const qnn = goldenTexts('qnn/tools.json');

/** Every reader of what a tool says, with texts that it reads. */
const READERS: readonly (readonly [string, (text: string) => unknown, readonly (string | undefined)[]])[] = [
  [
    'profile log',
    parseProfileLog,
    [ggml.inline, ggml['op-usec'], ggml.colons, ggml.pipes, ggml['pipes-two']],
  ],
  ['session log', parseSessionLog, [ggml.session, ggml['session-now'], ggml['session-refused']]],
  ['time of a generation', parseDiffusionTiming, [ggml['diffusion-dream'], ggml['diffusion-blocks']]],
  ['answer', (text) => parseDiffusionText('', text), [ggml['diffusion-answer']]],
  [
    'benchmark',
    parseBench,
    [
      '[\n  {"build_commit":"a","build_number":1,"model_type":"llama","model_size":9,"backends":"CPU","n_prompt":32,"n_gen":0,"avg_ns":2,"stddev_ns":0,"samples_ns":[2]}\n]',
    ],
  ],
  ['context', (text) => parseContextInfo(text, 'c'), [qnn.context]],
  ['profile of the viewer', (text) => parseViewerCsv(text, 'p'), [qnn.viewer]],
  ['QNN profile', (text) => parseQnnProfile(text, 'p'), ['cpu', 'htp', 'optrace'].map(qnnProfile)],
  [
    'profile log as a file',
    (text) => readProfile(fileOf(text, 'log.txt')),
    [ggml.inline, ggml.pipes, `\ufeff${ggml.inline}`],
  ],
  [
    'packets of a disassembly',
    parsePackets,
    ['   0:\t{ r0 = add(r0,#1)\n   4:\t  nop }\n   8:\t{ jumpr r31 } :endloop0\n'],
  ],
  ['answers of a phone', (text) => readTarget(answering(text)), ['aarch64\n', 'SM8750\n15\n69\n']],
  ['device record', (text) => readDeviceRecord(fileOf(text, 'record.json')), [JSON.stringify(record)]],
  [
    'comparison of a device',
    (text) => readCompareReport(fileOf(text, 'compare.json')),
    [readFileSync(join(root, 'results/reference/device/qnn-cpu/compare.json'), 'utf8')],
  ],
  [
    'list of phones',
    (text) => selectDevice(parseAdbDevices(text)),
    ['List of devices attached\nA b c device usb:1-1 model:B\n\n', '* daemon started *\nC\tdevice\n'],
  ],
];

describe('a damaged output is read or refused as damaged data, never anything else (property)', () => {
  afterAll(reportDraws);
  it.each(READERS)('%s', async (name, read, texts) => {
    for (const text of texts) await read(text ?? '');
    await fc.assert(
      fc.asyncProperty(damaged(texts.map((text) => text ?? '')), (text) =>
        readsOrRefuses(name, () => read(text)),
      ),
      { numRuns: RUNS },
    );
  });
});
