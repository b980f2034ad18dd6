import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const file = (content: string) => {
  const path = join(temporaryDirectory(), 'input.json');
  writeFileSync(path, content);
  return path;
};

describe('wrong usage: one line, exit 2', () => {
  it.each([
    [['ablat'], /unknown command "ablat": did you mean ablate\?/],
    [['hardware', 'lst'], /unknown command "hardware lst": did you mean hardware list/],
    [['calibrate'], /unknown command "calibrate": did you mean .*device calibrate/],
    [['help', 'simulat'], /unknown command "simulat": did you mean simulate/],
    [['ablate', '--policies', 'all'], /unknown option '--policies': of `ablate` .*verify --policies all/],
    [['generate', 'x', '--stack', 'cpu'], /--stack has no effect: nothing is timed without --machine/],
    [['generate', 'x', '--threads', '2'], /--threads has no effect: it is of ort/],
    [['simulate', 'step', '--rows', '100000'], /Expected an integer from 1 to 8192/],
    [['frobnicate'], /unknown command "frobnicate": --help lists/],
    [['generate', '--polcy', 'x'], /unknown option '--polcy' \(Did you mean --policy\?\)/],
    [
      ['ablate', '--prompts', 'many'],
      /'--prompts, --cases <n>' argument 'many' is invalid\. Expected an integer from 1 to/,
    ],
    [['ablate', '--prompts', '0'], /Expected an integer from 1 to/],
    [['simulate', 'step', '--rows', '9-1'], /"9-1" is not a range/],
    [['simulate', 'step', '--quant', 'q4'], /unknown quant "q4": did you mean q4_0/],
    [['simulate', 'step', '--profile', 'sm8570'], /unknown profile "sm8570": did you mean .*sm8550/],
    [['simulate', 'step', '--stack', 'lama.cpp'], /unknown stack "lama\.cpp": did you mean llada\.cpp/],
    [['simulate', 'step', '--cost-model', 'llada-8'], /unknown model "llada-8": did you mean llada-8b/],
    [['simulate', 'step', '--memory', 'sonr'], /unknown memory "sonr": did you mean somr/],
    [['policies', 'treshold'], /unknown policy "treshold": did you mean threshold/],
    [['generate', 'x', '--policy', 'lada'], /unknown policy "lada": did you mean llada/],
    [['generate'], /no prompt: give a text, or --problem N/],
    [['generate', 'x', '--problem', '1'], /not both/],
    [['generate', 'x', '--model', 'tiny-lada'], /unknown model "tiny-lada": did you mean tiny-llada/],
    [['hardware', 'show', 'sm875'], /unknown profile "sm875": did you mean .*sm8750/],
    [['train', '--heads', '5'], /--heads 5 does not split --hidden 64/],
    [['ablate', '--profile', 'sm875'], /unknown profile "sm875": did you mean .*sm8750/],
    [['ablate', '--model', 'tiny'], /unknown model "tiny": did you mean tiny-dual, tiny-llada/],
    [['ablate', '--quant', 'q5'], /unknown quant "q5": known: f32, f16, q8_0, q4_0/],
    [['report', 'a', 'b'], /too many arguments/],
  ])('%j', async (argv, message) => {
    const { code, stdout, stderr } = await cli(argv);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('damaged files: named, exit 1', () => {
  it.each([
    ['a summary that is no JSON', ['report'], '{', /input\.json: .*JSON/],
    [
      'a summary of another kind',
      ['report'],
      '{"schema":"x"}',
      /input\.json: not a dllm-npu\/ablation@1 summary: schema/,
    ],
    ['a trace that is cut off', ['trace', 'show'], '', /input\.json:1: not JSON/],
    ['a trace without schema', ['trace', 'validate'], '{"type":"header"}\n{"type":"end"}\n', /input\.json:1/],
    ['a profile that is no profile', ['hardware', 'show'], '{"schema":"x"}', /profile .*input\.json: schema/],
  ])('%s', async (_, argv, content, message) => {
    const { code, stdout, stderr } = await cli([...argv, file(content)]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  it('shows a stack only under --debug', async () => {
    const plain = await cli(['report', file('{')]);
    const debug = await cli(['--debug', 'report', file('{')]);
    expect(plain.stderr).not.toMatch(/\n\s+at /);
    expect(debug.stderr).toMatch(/\n\s+at /);
    expect(debug.code).toBe(1);
  });
});

describe('environment: exit 3, before any work', () => {
  it.each([
    ['ablate', '--out'],
    ['train', '--out'],
    ['generate', '--problem', '0', '--trace'],
  ])('%s says what cannot be written', async (...argv) => {
    const blocker = file('');
    const { code, stdout, stderr } = await cli([...argv, join(blocker, 'below', 'it')]);
    expect(stderr).toMatch(/^error: cannot write .*input\.json is not a directory\n$/);
    expect(stdout).toBe('');
    expect(code).toBe(3);
  });
});

describe('help', () => {
  it('goes to standard output, with examples', async () => {
    for (const argv of [[], ['--help']]) {
      const { code, stdout, stderr } = await cli(argv);
      expect(stdout).toContain('Examples:');
      expect(stderr).toBe('');
      expect(code).toBe(0);
    }
  });

  it.each([
    'ablate',
    'generate',
    'policies',
    'simulate step',
    'simulate trace',
    'trace show',
    'trace validate',
    'hardware show',
    'train',
    'report',
  ])('of %s teaches by example and shows the global options', async (command) => {
    const { code, stdout } = await cli([...command.split(' '), '--help']);
    expect(stdout).toMatch(/Examples?:\n {2}\$ dllm-npu/);
    expect(stdout).toContain('--json');
    expect(code).toBe(0);
  });

  it('is what `help` prints about a command, or a group', async () => {
    for (const command of ['generate', 'simulate', 'hardware list']) {
      const asked = await cli(['help', ...command.split(' ')]);
      expect(asked).toEqual(await cli([...command.split(' '), '--help']));
      expect(asked.code).toBe(0);
    }
  });

  it('prints the version', async () => {
    expect((await cli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('names the sub-commands of a group that was called alone, exit 2', async () => {
    const { code, stdout, stderr } = await cli(['trace']);
    expect(stderr).toContain('validate');
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});
