import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli } from '../support/run-cli.js';

async function json<T>(...argv: string[]): Promise<T> {
  const { code, stdout, stderr } = await cli([...argv, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

describe('commands over the machine', () => {
  it.each([
    ['simulate prefill --tokens 64 --model qwen3-0.6b --stack llama.cpp-hexagon'],
    ['simulate decode --context 100 --model llama-3.2-1b --stack qnn --memory unlimited'],
    ['simulate sensitivity --sobol 2 --model tinyllama-1.1b'],
    [
      'simulate request --prompt 70 --answer 30 --model qwen3-0.6b --stack llama.cpp-hexagon --memory on-demand',
    ],
    ['explain --rows 8 --context 80'],
    ['explain --prompt 100 --answer 10 --model qwen3-0.6b --memory unlimited'],
    ['memory plan'],
    ['memory plan --memory unlimited'],
  ])('%s prints a table, and only data with --json', async (line) => {
    const argv = line.split(' ');
    const { code, stdout, stderr } = await cli(argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.length).toBeGreaterThan(50);
    expect(stdout).not.toMatch(/NaN|undefined|Infinity/);
    expect(Object.keys(await json(...argv)).length).toBeGreaterThan(1);
  });

  it.each([
    ['hardware diff sm8650 sm8750'],
    ['hardware explain npu.dmaRate'],
    ['hardware stacks'],
    ['hardware energy'],
  ])('%s', async (line) => {
    const { code, stdout } = await cli(line.split(' '));
    expect(code).toBe(0);
    expect(stdout.split('\n').length).toBeGreaterThan(4);
    expect(stdout).not.toMatch(/NaN|undefined/);
  });

  it('a stack brings in weights in its own way, as simulate validate has it, unless another is asked for', async () => {
    const decode = ['simulate', 'decode', '--context', '100', '--model', 'qwen3-8b', '--profile', 'sm8550'];
    const ms = async (...more: string[]) =>
      (await json<{ machine: string; rows: { ms: number }[] }>(...decode, ...more)).rows[0]!.ms;
    const own = await ms('--stack', 'llama.cpp-hexagon');
    expect(own).toBe(await ms('--stack', 'llama.cpp-hexagon', '--memory', 'on-demand'));
    expect(own).toBeGreaterThan(1.2 * (await ms('--stack', 'llama.cpp-hexagon', '--memory', 'somr')));
    const { machine } = await json<{ machine: string }>(...decode);
    expect(machine).toBe('sm8550/llada.cpp/qwen3-8b/somr/event');
    const { stderr } = await cli([...decode, '--stack', 'qnn', '--placement', 'alternating']);
    expect(stderr).toMatch(/placement has no effect: it is of --memory somr/);
  });

  it('explain tiles the step', async () => {
    interface Node {
      readonly ms: number;
      readonly children: readonly Node[];
    }
    const { tree } = await json<{ tree: Node }>('explain', '--rows', '32');
    expect(tree.children.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(tree.ms, 6);
  });

  it('explain takes apart the request that simulate times, of any length', async () => {
    interface Node {
      readonly ms: number;
      readonly children: readonly Node[];
    }
    interface Answer {
      readonly ms: number;
      readonly low: number;
      readonly high: number;
      readonly msPerToken: number | null;
    }
    const sums = ({ ms, children }: Node): void => {
      if (children.length === 0) return;
      expect(children.reduce((sum, child) => sum + child.ms, 0)).toBeCloseTo(ms, 6);
      for (const child of children) sums(child);
    };
    for (const size of ['--prompt 1 --answer 0', '--prompt 700 --answer 3', '--prompt 90 --answer 257']) {
      const of = `${size} --model qwen3-0.6b --stack llama.cpp-hexagon@2026-05 --memory on-demand`;
      const timed = await json<Answer>('simulate', 'request', ...of.split(' '));
      const { tree, ...explained } = await json<Answer & { tree: Node }>('explain', ...of.split(' '));
      expect(explained).toMatchObject({ low: timed.low, high: timed.high, msPerToken: timed.msPerToken });
      expect(explained.ms).toBeCloseTo(timed.ms, 9);
      sums(tree);
    }
  });

  it('explain prints parts that add up, none of them 0, beside their roofs', async () => {
    const { stdout } = await cli(['explain', '--rows', '32', '--context', '80']);
    const rows = stdout.split('\n').flatMap((text) => {
      const found = /^( *)(\S.*?) +([\d.]+) +\d+ %/.exec(text);
      return found === null ? [] : [{ depth: found[1].length / 2, ms: Number(found[3]) }];
    });
    expect(rows.length).toBeGreaterThan(10);
    for (const [at, { depth, ms }] of rows.entries()) {
      expect(ms).toBeGreaterThan(0);
      const after = rows.slice(at + 1);
      const end = after.findIndex((row) => row.depth <= depth);
      const below = (end < 0 ? after : after.slice(0, end)).filter((row) => row.depth === depth + 1);
      if (below.length > 0) expect(below.reduce((sum, row) => sum + row.ms, 0)).toBeCloseTo(ms, 6);
    }
    expect(stdout).toMatch(/down +[\d.]+ +\d+ % +dma +[\d.]+ +\d+ %/);
  });

  it('memory plan adds up to the window, and names what is too large', async () => {
    const { stdout } = await cli(['memory', 'plan']);
    const mapped = [...stdout.matchAll(/^(?!the whole)\S.* ([\d.]+)$/gm)].map(([, mib]) => Number(mib));
    const [, whole] = /the whole window +([\d.]+)/.exec(stdout)!;
    expect(mapped.reduce((sum, mib) => sum + mib, 0)).toBeCloseTo(Number(whole), 6);
    expect(stdout).toMatch(/^Fits: .* GiB of weights .* 3\.13 GiB/m);
    for (const mode of ['somr', 'on-demand', 'paging']) {
      const { code, stderr } = await cli(['memory', 'plan', '--context', '30000', '--memory', mode]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/KV cache/);
      expect(stderr).not.toMatch(/blk\.|\d{5} B/);
    }
  });

  it('explain refuses options of a step beside a request', async () => {
    const refused = await cli(['explain', '--prompt', '8', '--rows', '4']);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/--rows has no effect: --prompt/),
    ]);
    const alone = await cli(['explain', '--answer', '4']);
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringMatching(/--answer has no effect/)]);
  });

  it('simulate step gives the energy of every number of rows, with its range', async () => {
    const { rows } = await json<{ rows: { energy: { joules: number; range: [number, number] } }[] }>(
      ...['simulate', 'step', '--rows', '32,64', '--model', 'llada-8b'],
    );
    expect(rows).toHaveLength(2);
    for (const { energy } of rows) {
      expect(energy.range[0]).toBeLessThan(energy.joules);
      expect(energy.range[1]).toBeGreaterThan(energy.joules);
    }
  });

  it('simulate validate scores a file of the given columns', async () => {
    const path = join(tmpdir(), `dllm-npu-published-${process.pid}.csv`);
    const header =
      'id,device,soc,npu_arch,model,params_b,quant,engine,phase,batch_or_tokens,context,metric,value,unit,source';
    const known =
      'T-1,phone,SM8750,v79,Qwen3-0.6B,0.6,Q4_0,llama.cpp CPU,decode,1,0-16,throughput,50,tok/s,test';
    const unknown = 'T-2,phone,SM8750,v79,Mystery,,Q4_0,llama.cpp CPU,decode,1,0-16,throughput,50,tok/s,test';
    writeFileSync(path, [header, known, unknown].join('\n'));
    interface Row {
      readonly id: string;
      readonly predicted: number | null;
      readonly published: number;
      readonly error: number | null;
      readonly reason: string | null;
    }
    const { rows, shareModelled: share } = await json<{ rows: Row[]; shareModelled: number }>(
      ...['simulate', 'validate', path],
    );
    expect(rows.map(({ id, reason }) => [id, reason])).toEqual([
      ['T-1', null],
      ['T-2', 'no graph for model "Mystery", and its size is not stated'],
    ]);
    expect(rows[0]?.error).toBeCloseTo((rows[0]?.predicted ?? 0) / 50 - 1, 9);
    expect([rows[1]?.predicted, rows[1]?.error, share]).toEqual([null, null, 0.5]);
  });

  it.each([
    [['hardware', 'explain', 'npu.dmaRat'], /unknown number "npu\.dmaRat": did you mean npu\.dmaRate/],
    [['hardware', 'diff', 'sm8650', 'sm875'], /unknown profile "sm875"/],
    [['simulate', 'prefill', '--tokens', '0'], /integer from 1 to/],
    [['memory', 'plan', '--model', 'llada-8'], /unknown model "llada-8": did you mean llada-8b/],
    [['explain', '--stack', 'qn'], /unknown stack "qn": did you mean qnn/],
  ])('%j is refused in one line', async (argv, message) => {
    const { code, stderr } = await cli(argv);
    expect(code).toBe(2);
    expect(stderr.trim()).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
