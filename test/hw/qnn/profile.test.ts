import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stepGraph } from '../../../hw/graph/step-graph.js';
import { PROFILE_HEADER, parseQnnProfile } from '../../../hw/qnn/profile.js';
import { opTimes } from '../../../hw/session/op-times.js';
import { resolveModelConfig } from '../../../src/model/load.js';

/** A fixture says in its first line where it comes from; the rest is what was written. */
function fixture(name: string): string {
  const text = readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
  expect(text).toMatch(
    /^# origin: (upstream-doc|upstream-source|recorded-device|recorded-emulator|synthetic)\b/,
  );
  return text.slice(text.indexOf('\n') + 1);
}

describe('profile of the QNN provider', () => {
  it('has cycles per node and per execution on the HTP backend; what was cut off does not count', () => {
    const text = fixture('profile-htp.csv');
    const { finalizeUs, executions } = parseQnnProfile(text, 'p');
    expect(finalizeUs).toBe(202426);
    expect(executions).toHaveLength(2);
    const cut = text.slice(0, text.lastIndexOf('0,EXECUTE'));
    expect(parseQnnProfile(cut, 'p').executions).toEqual(executions.slice(0, 1));
    expect(parseQnnProfile(`${cut}0,EXEC`, 'p').executions).toEqual(executions.slice(0, 1));
    expect(executions[0]).toMatchObject({
      us: 1351442,
      acceleratorUs: 1349854,
      acceleratorCycles: 640937899,
    });
    expect(executions[0].nodes.slice(0, 2)).toEqual([
      { node: 'Input', cycles: 1731857, us: null },
      { node: 'visibility.hidden', cycles: 799325, us: null },
    ]);
  });

  it('has times per node on the CPU backend, those of compiling left out', () => {
    const { executions } = parseQnnProfile(fixture('profile-cpu.csv'), 'p');
    expect(executions.map(({ us }) => us)).toEqual([376927, 342887]);
    expect(executions[1].acceleratorCycles).toBeNull();
    expect(executions[1].nodes[2]).toEqual({ node: 'embed', cycles: null, us: 9 });
  });

  it('takes the further column of operation tracing, and commas in names', () => {
    const [execution] = parseQnnProfile(fixture('profile-optrace.csv'), 'p').executions;
    expect(execution!.nodes).toEqual([{ node: 'a,b', cycles: 600, us: null }]);
  });

  it('refuses an unknown header, short rows, values and levels that it does not know', () => {
    const header = PROFILE_HEADER.join();
    const refused = (text: string) => expect(() => parseQnnProfile(text, 'p.csv'));
    refused(`${header},Extra\n`).toThrow(/p\.csv: ".*Extra" is not the header of a QNN profile/);
    refused('').toThrow(/not the header/);
    refused(`${header}\n0,NODE,1,US\n`).toThrow(/line 2 has 4 columns/);
    refused(`${header}\n0,NODE,fast,US,BACKEND,ROOT,x\n`).toThrow(/"fast" is no time/);
    refused(`${header}\n0,NODE,1,US,BACKEND,LEAF,x\n`).toThrow(/unknown level "LEAF"/);
  });
});

describe('times by operator', () => {
  it('sums the nodes that were made from one operator and keeps what belongs to none', async () => {
    const graph = stepGraph(await resolveModelConfig('tiny-llada'), { rows: 32, context: 64 });
    const nodes = [
      'blk.0.attn_norm.square',
      'blk.0.attn_norm',
      '_blk_0_attn_norm_square',
      'blk.0.attn_v/duplicated',
      'blk.0.attn_other',
      'rope.32.10000.sin',
      'Input',
    ];
    expect(
      opTimes(
        graph,
        nodes.map((node) => ({ node, cycles: 2, us: null })),
      ),
    ).toEqual([
      { op: 'blk.0.attn_norm', cycles: 6, us: null },
      { op: 'blk.0.attn_v', cycles: 2, us: null },
      { op: 'blk.0.attn_other', cycles: 2, us: null },
      { op: 'rope.32.10000.sin', cycles: 2, us: null },
      { op: 'Input', cycles: 2, us: null },
    ]);
  });
});
