import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withWorkDirectory } from '../../hw/runner/command-runner.js';
import { LocalRunner } from '../../hw/runner/local-runner.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const runner = new LocalRunner();
const node = (code: string, ...args: string[]) => [process.execPath, '-e', code, ...args];

describe('local runner', () => {
  it('gives exit code and both streams; a non-zero code is a result', async () => {
    const argv = node('console.log("out"); console.error("err"); process.exit(3)');
    expect(await runner.exec({ argv })).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('passes arguments as they are, whatever a shell would make of them', async () => {
    const nasty = ['a b', '$(touch x)', '`id`', "it's", '"q"', ';', '*', ''];
    const { stdout } = await runner.exec({
      argv: node('console.log(JSON.stringify(process.argv.slice(1)))', '--', ...nasty),
    });
    expect(JSON.parse(stdout)).toEqual(nasty);
  });

  it('kills what takes too long and names a tool that is missing, with exit code 3', async () => {
    const slow = runner.exec({ argv: node('setTimeout(() => {}, 60000)'), timeoutMs: 200 });
    await expect(slow).rejects.toMatchObject({ exitCode: 3, message: expect.stringMatching(/within 0.2 s/) });
    const missing = runner.exec({ argv: ['/nonexistent/qnn-net-run'] });
    await expect(missing).rejects.toMatchObject({ exitCode: 3, message: expect.stringMatching(/ENOENT/) });
  });

  it('does not wait for a server that the tool left behind with its pipes', async () => {
    const server = 'setTimeout(() => {}, 20000)';
    const code = `console.log(require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(server)}], { stdio: "inherit", detached: true }).pid); process.exit(0)`;
    const { stdout } = await runner.exec({ argv: node(code), timeoutMs: 15_000 });
    process.kill(Number(stdout));
    expect(stdout).toMatch(/^\d+\n$/);
  });

  it('pushes by content and leaves nothing half-written', async () => {
    const directory = temporaryDirectory();
    const [from, to] = [join(directory, "it's a file"), join(directory, 'target', 'copy')];
    writeFileSync(from, 'one');
    expect(await runner.push(from, to)).toBe('sent');
    expect(await runner.push(from, to)).toBe('present');
    writeFileSync(from, 'two');
    expect(await runner.push(from, to)).toBe('sent');
    expect(readFileSync(to, 'utf8')).toBe('two');
    await expect(runner.pull(join(directory, 'none'), to)).rejects.toMatchObject({ exitCode: 3 });
    expect(readdirSync(join(directory, 'target'))).toEqual(['copy']);
  });

  it('removes its work directory however the work ends', async () => {
    let seen = '';
    const failing = withWorkDirectory(runner, async (directory) => {
      seen = directory;
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(existsSync(seen)).toBe(false);
  });
});
