import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('Ctrl-C', () => {
  it.each([
    ['before anything was written', 'step 0'],
    ['in the middle of a decode', 'step 9'],
  ])('%s: exit 130, no file, cursor back', async (_, moment) => {
    const directory = temporaryDirectory();
    const controller = new AbortController();
    const { code, stdout, stderr } = await cli(
      [
        'generate',
        '--problem',
        '0',
        '--policy',
        'block-kv',
        '--watch',
        '--fps',
        '500',
        '--trace',
        join(directory, 't.jsonl'),
      ],
      {
        tty: true,
        signal: controller.signal,
        onOutput: (text) => {
          if (text.includes(moment) || (moment === 'step 0' && text !== '')) controller.abort();
        },
      },
    );
    expect(code).toBe(130);
    expect(stderr).toContain('interrupted');
    expect(stdout.endsWith('\u001b[?25h')).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('during training: nothing of the half-trained model is kept', async () => {
    const out = join(temporaryDirectory(), 'model');
    const controller = new AbortController();
    const { code } = await cli(
      [
        'train',
        '--steps',
        '100000',
        '--batch',
        '1',
        '--hidden',
        '4',
        '--heads',
        '1',
        '--ffn',
        '4',
        '--layers',
        '1',
        '--out',
        out,
      ],
      { signal: controller.signal, onOutput: (text) => text.includes('step 1 ') && controller.abort() },
    );
    expect(code).toBe(130);
    expect(existsSync(out)).toBe(false);
  });
});
