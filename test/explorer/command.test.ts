import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtExplorer } from '../support/built-program.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// Built for all files that open it: not twice at once.
beforeAll(builtExplorer);

describe('explore', () => {
  it('serves the page on this machine, and nothing else, until it is told to stop', async () => {
    const stop = new AbortController();
    let printed = '';
    const told = new Promise<string>((resolve) => {
      void cli(['explore', '--port', '0', '--json'], {
        signal: stop.signal,
        onOutput: (text) => {
          printed = text;
          resolve(text);
        },
      }).then(({ code, stderr }) => {
        ended(code);
        if (code !== 130) resolve(stderr);
      });
    });
    let ended: (code: number) => void = () => {};
    const code = new Promise<number>((resolve) => {
      ended = resolve;
    });
    const { address } = JSON.parse(await told) as { address: string };
    expect(address).toMatch(/^http:\/\/localhost:\d+\/$/);
    const page = await fetch(address);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('explorer.js');
    expect((await fetch(`${address}explorer.js`)).status).toBe(200);
    for (const path of ['package.json', '..%2f..%2fpackage.json', 'toString', 'assets/'])
      expect((await fetch(address + path)).status, path).toBe(404);
    expect((await fetch(address, { method: 'POST' })).status).toBe(405);
    const port = new URL(address).port;
    const taken = await cli(['explore', '--port', port]);
    expect(taken.code).toBe(3);
    expect(taken.stderr).toContain('--port');
    stop.abort();
    expect(await code).toBe(130);
    expect(printed).toContain(address);
    await expect(fetch(address)).rejects.toThrow();
  });

  it('writes a folder', async () => {
    const out = join(temporaryDirectory(), 'site');
    const { code, stdout } = await cli(['explore', '--out', out, '--json']);
    expect(code).toBe(0);
    const { files } = JSON.parse(stdout) as { files: { name: string; bytes: number }[] };
    expect(files.map(({ name }) => name).sort()).toEqual(readdirSync(out).sort());
    for (const { name, bytes } of files) expect(readFileSync(join(out, name)).length).toBe(bytes);
    expect((await cli(['explore', '--out', out, '--port', '1'])).code).toBe(2);
  });
});
