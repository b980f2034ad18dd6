import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBench } from '../../hw/ggml/bench.js';
import { parseDiffusionText, parseDiffusionTiming } from '../../hw/ggml/diffusion-cli.js';
import { parseProfileLog } from '../../hw/ggml/profile-log.js';
import { parseSessionLog } from '../../hw/ggml/session-log.js';
import { parseContextInfo } from '../../hw/qnn/tools-context.js';
import { parseViewerCsv } from '../../hw/qnn/tools-profile.js';
import { parseAdbDevices } from '../../hw/runner/adb-devices.js';
import { DataError } from '../../src/errors.js';
import { goldenTexts } from './golden-logs.js';

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
  ['benchmark', parseBench, ['[\n{"build_commit":"a","build_number":1,"samples_ns":[1]}\n]']],
  ['context', (text) => parseContextInfo(text, 'c'), [qnn.context]],
  ['profile of the viewer', (text) => parseViewerCsv(text, 'p'), [qnn.viewer]],
  ['list of phones', parseAdbDevices, ['List of devices attached\nA device model:B\nC offline\n']],
];

/** A text with a part cut out, doubled, or replaced by other characters. */
const damaged = (texts: readonly (string | undefined)[]) =>
  fc
    .record({
      text: fc.constantFrom(...texts.map((text) => text ?? '')),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat(200),
      put: fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 20 }), fc.constant('again')),
    })
    .map(({ text, from, length, put }) => {
      const at = Math.floor(from * text.length);
      const cut = text.slice(at, at + length);
      return text.slice(0, at) + (put === 'again' ? cut + cut : put) + text.slice(at + length);
    });

describe('a damaged output is read or refused as damaged data, never anything else (property)', () => {
  it.each(READERS)('%s', (_, read, texts) => {
    fc.assert(
      fc.property(damaged(texts), (text) => {
        try {
          read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
          expect((error as DataError).message).not.toBe('');
        }
      }),
      { numRuns: 500 },
    );
  });
});
