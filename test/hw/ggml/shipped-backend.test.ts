import { describe, expect, it } from 'vitest';
import { parseProfileLog } from '../../../hw/ggml/profile-log.js';
import { parseSessionLog } from '../../../hw/ggml/session-log.js';
import { printf, shippedBackend, stringsOf } from './shipped-backend.js';

const binary = shippedBackend();

/** The grammar against the format strings of a backend as it is shipped: not against fixtures of our own. */
describe.skipIf(binary === null)('lines that the shipped Hexagon backend prints', () => {
  const strings = binary === null ? [] : stringsOf(binary);
  const format = (part: string): string => {
    const found = strings.filter((text) => text.includes(part));
    expect(found, part).toHaveLength(1);
    return found[0] ?? '';
  };
  const kept = [
    'MUL_MAT+ADD',
    'a (x) x b -> c',
    '64:32 x 64:8 -> 32:8',
    'q4_0 x f32 -> f32',
    '18:36 x 4:256 -> 4:128',
  ];

  it('are understood: operators, with and without counters', () => {
    const line = format('profile-op %s|');
    const counters = printf(format(' pmu ['), [1, 2, 3, 4, 5, 6, 7, 8]);
    const values = ['HTP0', ...kept, 'hmx-tiled vtcm 1024', 512, 1081344, 77, 2112.04];
    const log = parseProfileLog(`${printf(line, [...values, ''])}\n${printf(line, [...values, counters])}\n`);
    expect(log?.dialect).toBe('pipes');
    const [op, names, dims, types, strides] = kept;
    for (const [index, pmu] of [null, [1, 2, 3, 4, 5, 6, 7, 8]].entries()) {
      expect(log?.ops[index]).toMatchObject({ session: 'HTP0', op, names, dims, types, strides, pmu });
      expect(log?.ops[index]).toMatchObject({
        kernel: 'hmx-tiled vtcm 1024',
        us: 512,
        cycles: 1081344,
        mhz: 2112,
      });
    }
  });

  it('are understood: batches, with and without events', () => {
    const line = format('profile-op OPBATCH|');
    const counts = printf(format('evt-cnt %u'), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const log = parseProfileLog(
      ['----', counts]
        .map((events) => printf(line, ['HTP0', 9, events, 900, 1900000, 2 ** 40, 2111.1]))
        .join('\n'),
    );
    expect(log?.batches).toEqual([
      { session: 'HTP0', ops: 9, us: 900, cycles: 1900000, start: 2 ** 40, events: null },
      {
        session: 'HTP0',
        ops: 9,
        us: 900,
        cycles: 1900000,
        start: 2 ** 40,
        events: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
      },
    ]);
  });

  it('are understood: what every thread did, by every event name in the binary', () => {
    const line = format('trace-evt %s');
    const batch = printf(format('profile-op OPBATCH|'), ['HTP0', 1, '----', 1, 1, 0, 1]);
    const names = ['DMA', ...strings.filter((text) => /^H[VM]X_[A-Z_]+$/.test(text))];
    expect(names).toEqual(expect.arrayContaining(['HVX_COMP', 'HMX_COMP', 'HVX_W_DEQUANT', 'HVX_A_QUANT']));
    for (const name of names) {
      const edge = (word: string, cycle: number) => printf(line, ['HTP0', name, 3, 5, word, cycle]);
      const log = parseProfileLog([batch, edge('start', 100), edge('stop', 150)].join('\n'));
      expect(log?.intervals).toEqual([
        { session: 'HTP0', event: name, thread: 3, info: 5, startCycle: 100, cycles: 50 },
      ]);
    }
  });

  it('are understood: the session and the architecture', () => {
    const uri = 'file:///libggml-htp-v79.so?htp_iface_skel_handle_invoke&_modver=1.0&_dom=cdsp';
    const session = printf(format('new session : session-id'), ['HTP0', 0, 3, uri, 0xb4000072]);
    const arch = printf(format('Hexagon Arch version'), [79]);
    expect(parseSessionLog(`${arch}\n${session}\n`)).toMatchObject({
      htpArch: 'v79',
      sessions: [{ name: 'HTP0', library: 'libggml-htp-v79.so' }],
    });
  });
});
