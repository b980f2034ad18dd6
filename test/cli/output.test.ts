import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeSummary } from '../../experiments/studies/ladder/summary-file.js';
import { cli } from '../support/run-cli.js';
import { syntheticSummary } from '../support/synthetic-summary.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const ESCAPE = '\u001b';
const COLOR = new RegExp(`${ESCAPE}\\[\\d+m`);
const REDRAW = new RegExp(`${ESCAPE}\\[\\d+A\\r${ESCAPE}\\[J`);
const folder = () => temporaryDirectory();
const summaryFile = () => {
  const path = join(folder(), 'summary.json');
  writeSummary(path, syntheticSummary());
  return path;
};
const quick = ['generate', '--problem', '0', '--policy', 'threshold'];
const brief = [...quick, '--gen-length', '32'];

describe('--json', () => {
  it.each([
    ['policies'],
    ['hardware list'],
    ['hardware show sm8750'],
    ['simulate step --rows 1,33 --model tinyllama-1.1b'],
    ['train --steps 2 --batch 1 --hidden 4 --heads 1'],
    ['generate --problem 0 --policy threshold --gen-length 32'],
    ['generate --problem 0 --policy threshold --gen-length 32 --watch'],
  ])('%s: standard output is one JSON document, before or after the command', async (command) => {
    const argv = command.split(' ');
    const after = await cli([...argv, '--json']);
    expect(after.stderr).not.toMatch(/error/);
    expect(after.code).toBe(0);
    expect(Object.keys(JSON.parse(after.stdout))).not.toHaveLength(0);
    const before = await cli(['--json', ...argv], { tty: true });
    expect(Object.keys(JSON.parse(before.stdout))).toEqual(Object.keys(JSON.parse(after.stdout)));
  });

  it('gives the rows of a simulated step', async () => {
    const { stdout } = await cli([
      ...['simulate', 'step', '--rows', '1,32,33', '--model', 'tinyllama-1.1b', '--json'],
    ]);
    const { rows } = JSON.parse(stdout) as {
      rows: { rows: number; ms: number; bound: string; utilization: object }[];
    };
    expect(rows.map((row) => row.rows)).toEqual([1, 32, 33]);
    for (const row of rows) {
      expect(row.ms).toBeGreaterThan(0);
      expect(Object.keys(row.utilization)).toContain(row.bound);
    }
  });
});

describe('colours', () => {
  it('never reach a pipe', async () => {
    for (const argv of [
      ['policies'],
      ['hardware', 'show', 'sm8750'],
      ['report', '--table', summaryFile()],
      [...brief, '--watch'],
    ]) {
      const { stdout, stderr } = await cli(argv, { tty: false });
      expect(stdout + stderr).not.toContain(ESCAPE);
    }
  });

  it('are on at a terminal, off by NO_COLOR and --no-color', async () => {
    const argv = ['report', '--table', summaryFile()];
    expect((await cli(argv, { tty: true })).stdout).toMatch(COLOR);
    expect((await cli(argv, { tty: true, env: { NO_COLOR: '1' } })).stdout).not.toContain(ESCAPE);
    expect((await cli([...argv, '--no-color'], { tty: true })).stdout).not.toContain(ESCAPE);
    // no-color.org: an empty value means nothing.
    expect((await cli(argv, { tty: true, env: { NO_COLOR: '' } })).stdout).toMatch(COLOR);
  });
});

describe('generate', () => {
  it('decodes, traces, and the trace passes its own validation', async () => {
    const trace = join(folder(), 'run.jsonl');
    const { code, stdout } = await cli([...quick, '--trace', trace, '--machine', 'sm8750', '--json']);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as {
      tokens: number[];
      nfe: number;
      text: string;
      machine: { simulatedS: number };
    };
    expect(answer.tokens).toHaveLength(128);
    expect(answer.nfe).toBeGreaterThan(4);
    expect(answer.machine.simulatedS).toBeGreaterThan(0);
    const checked = await cli(['trace', 'validate', trace]);
    expect(checked.stdout).toMatch(/schema and laws hold/);
    expect(checked.code).toBe(0);
    const picture = (await cli(['trace', 'show', trace])).stdout;
    const lines = picture.split('\n').filter((line) => /^ *\d+ {2}/.test(line));
    expect(lines).toHaveLength(readFileSync(trace, 'utf8').trim().split('\n').length - 2);
    expect(lines.at(-1)).toMatch(/^ *\d+ {2}[Sv]{32}\|[Sv]{32}\|[Sv]{32}\|[Sv]{32} /);
  });

  it('replays a trace on the machine it ran on to the same time, and exports the timeline', async () => {
    const trace = join(folder(), 'run.jsonl');
    const perfetto = join(folder(), 'timeline.json');
    const machine = ['--memory', 'on-demand'];
    const live = await cli([...brief, '--trace', trace, '--machine', 'sm8750', ...machine, '--json']);
    const replay = await cli(['simulate', 'trace', trace, '--perfetto', perfetto, ...machine, '--json']);
    expect(replay.stderr).toBe('');
    const { totalS, divergesAt, steps } = JSON.parse(replay.stdout) as {
      totalS: number;
      divergesAt: number | null;
      steps: { ms: number }[];
    };
    const { machine: timed } = JSON.parse(live.stdout) as { machine: { simulatedS: number } };
    expect(totalS).toBe(timed.simulatedS);
    expect(divergesAt).toBeNull();
    expect(steps.reduce((sum, step) => sum + step.ms, 0) / 1000).toBeCloseTo(totalS, 6);
    const { traceEvents } = JSON.parse(readFileSync(perfetto, 'utf8')) as { traceEvents: { dur?: number }[] };
    expect(traceEvents.length).toBeGreaterThan(1000);
  });

  it('fails a trace that was tampered with, by law', async () => {
    const trace = join(folder(), 'run.jsonl');
    await cli([...brief, '--trace', trace]);
    const lines = readFileSync(trace, 'utf8').trim().split('\n');
    const at = lines.findIndex((line) => line.includes('"reason":"commit"'));
    // The same commit twice: a stable position changes again.
    const step = JSON.parse(lines[at]!) as { transitions: { from: string; to: string; token: number }[] };
    const [first] = step.transitions;
    step.transitions.push({ ...first!, from: first!.to, token: first!.token === 7 ? 8 : 7 });
    lines[at] = JSON.stringify(step);
    writeFileSync(trace, `${lines.join('\n')}\n`);
    const { code, stdout, stderr } = await cli(['trace', 'validate', trace]);
    expect(stdout).toMatch(/^D1 /m);
    expect(stderr).toMatch(/violation/);
    expect(code).toBe(1);
  });

  it('is deterministic', async () => {
    const untimed = async () =>
      (await cli([...brief, '--json'])).stdout.replace(/"seconds": [\d.e-]+/, '"seconds": 0');
    expect(await untimed()).toBe(await untimed());
  });

  it('redraws in place on a terminal and gives the cursor back', async () => {
    const { stdout } = await cli([...brief, '--watch', '--fps', '1000'], { tty: true });
    expect(stdout).toContain(`${ESCAPE}[?25l`);
    expect(stdout).toMatch(REDRAW);
    expect(stdout.lastIndexOf(`${ESCAPE}[?25h`)).toBeGreaterThan(stdout.lastIndexOf(`${ESCAPE}[?25l`));
  });
});

describe('report', () => {
  it('renders beside the summary, or where it is told', async () => {
    const summary = summaryFile();
    const out = join(folder(), 'deep', 'er');
    const { code, stdout } = await cli(['report', summary, '--out', out, '--json']);
    expect(code).toBe(0);
    const { files } = JSON.parse(stdout) as { files: string[] };
    expect(readdirSync(out).sort()).toEqual(files.map((path) => path.slice(out.length + 1)).sort());
    // Beside it, with fewer figures: those of single decodes are most of the work.
    const brief = join(folder(), 'summary.json');
    writeSummary(brief, { ...syntheticSummary(), carpet: [], timeline: [] });
    await cli(['report', brief]);
    expect(readdirSync(join(brief, '..'))).toContain('report.html');
  });
});
