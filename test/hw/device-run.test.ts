import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDeviceRecord } from '../../hw/record/device-record.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { directoryOf, genuine } from './qnn/genuine.js';

const htp = await genuine('2.7.0', 'htp', 2);

const quick = ['device', 'run', '--gen-length', '8', '--block-length', '8'];

describe('device run', () => {
  it("writes one record of a run on ONNX Runtime's CPU, with the class that it supports", async () => {
    const out = temporaryDirectory();
    const { code, stdout } = await cli([...quick, '--head', 'cpu', '--kv', 'f16', '--out', out, '--json']);
    expect(code).toBe(0);
    const record = await readDeviceRecord(join(out, 'record.json'));
    const answer = JSON.parse(stdout) as { answers: { tokens: number[] }[]; record: unknown };
    expect(answer.record).toEqual(record);
    expect(answer.answers[0].tokens).toHaveLength(8);
    expect(record).toMatchObject({ executionClass: 'ort-cpu', failure: null, model: { numerics: 'f32' } });
    expect(record.runs.length).toBeGreaterThan(1);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const out = temporaryDirectory();
    const usual = process.env.TMPDIR;
    process.env.TMPDIR = temporaryDirectory();
    try {
      const { code } = await cli([...quick, '--out', out], { signal: AbortSignal.abort() });
      expect(code).toBe(130);
      expect([...readdirSync(out), ...readdirSync(tmpdir())]).toEqual([]);
    } finally {
      if (usual === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = usual;
    }
  });

  it('says which library is missing and what to do, exit code 3', async () => {
    const env = { DLLM_NPU_CACHE: temporaryDirectory() };
    const { code, stderr } = await cli([...quick, '--backend', 'htp', '--out', temporaryDirectory()], {
      env,
    });
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/needs QNN's libraries.*device fetch/),
    });
    const contexts = await cli([...quick, '--contexts', temporaryDirectory(), '--out', temporaryDirectory()]);
    expect(contexts).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/ort-cpu has no compiled contexts/),
    });
  });

  it.skipIf(htp.missing !== null)(
    'records a refusal of the backend and ends with one line, exit code 3',
    async () => {
      const out = temporaryDirectory();
      const env = { QNN_EP_DIR: directoryOf(htp) };
      const { code, stderr } = await cli([...quick, '--backend', 'htp', '--out', out], { env });
      expect(code).toBe(3);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).toMatch(/error: create session: .*rejects this graph: try --numerics f16/);
      const { failure } = await readDeviceRecord(join(out, 'record.json'));
      expect(failure).toMatchObject({ kind: 'refused', stage: 'create session' });
    },
  );

  it.skipIf(htp.missing !== null)('keeps compiled graphs where it is told', async () => {
    const contexts = join(temporaryDirectory(), 'contexts');
    const env = { QNN_EP_DIR: directoryOf(htp) };
    const asked = ['--backend', 'htp', '--numerics', 'f16', '--soc-model', '69', '--contexts', contexts];
    const brief = ['device', 'run', '--gen-length', '1', '--block-length', '1'];
    const { code, stdout } = await cli([...brief, ...asked, '--out', temporaryDirectory()], { env });
    expect(code).toBe(0);
    expect(existsSync(contexts)).toBe(true);
    expect(stdout).toMatch(/class htp-emulator-x86;.*\n.*no device times.*emulation/);
  });
});
