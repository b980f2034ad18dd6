import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeviceError } from '../../../hw/device-error.js';
import { DeviceEngine, type DeviceEvent } from '../../../hw/graph/device-engine.js';
import { OrtHost } from '../../../hw/ort/host.js';
import { type LoadedModel, loadModel } from '../../../src/model/load.js';
import type { Pass } from '../../../src/pass/pass.js';
import { project } from '../../../src/util/project-root.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { buildTestPlugin, TEST_PROVIDER } from './test-plugin.js';

const built = buildTestPlugin();
if (built.missing !== null)
  process.stderr.write(`skipped: a plugin that misbehaves, 15 tests: ${built.missing}\n`);
const library = built.missing === null ? built.library : '';

const PASS: Pass = {
  id: '0.0',
  kind: 'denoise',
  lane: 'main',
  version: 0,
  reads: [],
  logits: [1],
  rows: [3, 5].map((feed, position) => ({ position, feed })),
  visibility: 'all',
};

/** Of what never answers; everything else may take its time on a busy machine. */
const HANG_MS = 4000;
const PATIENT_MS = 60_000;
const NO_FALLBACK = { 'session.disable_cpu_ep_fallback': '1' };

/** Processes that this one started and that still run. */
function children(pid: number | 'self' = 'self'): string[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean),
  );
}

describe.skipIf(built.missing !== null)('a plugin that misbehaves', () => {
  let model: LoadedModel;
  const usualTemporary = process.env.TMPDIR;
  let before: readonly string[];

  beforeAll(async () => {
    model = await loadModel('tiny-llada');
    process.env.TMPDIR = temporaryDirectory();
  });
  beforeEach(() => {
    before = children();
  });
  afterAll(async () => {
    await model?.weights.close();
    if (usualTemporary === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usualTemporary;
  });

  function engine(
    mode: string,
    config: Readonly<Record<string, string>>,
    onEvent?: (event: DeviceEvent) => void,
  ) {
    const plugin = { path: library, name: TEST_PROVIDER };
    const env = { DLLM_TEST_PLUGIN: mode };
    return new DeviceEngine(model.config, model.weights, {
      startHost: async () =>
        (await OrtHost.start({ plugin, env, startTimeoutMs: mode === 'hang-load' ? HANG_MS : PATIENT_MS }))
          .host,
      numerics: 'f32',
      provider: { name: TEST_PROVIDER, options: {} },
      config,
      timeoutMs: mode.startsWith('hang') ? HANG_MS : PATIENT_MS,
      onEvent,
    });
  }

  /** Nothing of a run may stay: no process, no file. */
  function expectNothingLeft(): void {
    expect(children().filter((pid) => !before.includes(pid))).toEqual([]);
    expect(readdirSync(tmpdir())).toEqual([]);
  }

  async function expectResult(mode: string, kind: string, stage: string, reason: RegExp): Promise<void> {
    const device = engine(mode, NO_FALLBACK);
    const error: unknown = await device.run(PASS).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error, mode).toBeInstanceOf(DeviceError);
    expect(error, mode).toMatchObject({
      exitCode: 3,
      failure: { kind, stage, reason: expect.stringMatching(reason) },
    });
    expect((error as DeviceError).message).not.toContain('\n');
    await device.close();
  }

  it('that claims everything computes everything: here zeros, and the assignment says who did', async () => {
    const events: DeviceEvent[] = [];
    const device = engine('all', NO_FALLBACK, (event) => events.push(event));
    const { logits } = await device.run(PASS);
    expect(logits).toEqual(new Float32Array(model.config.vocab));
    const [opened] = events;
    expect(opened).toMatchObject({ kind: 'opened', assignments: [{ provider: TEST_PROVIDER }] });
    await device.close();
    expectNothingLeft();
  });

  it.each([
    [NO_FALLBACK, /fallback to CPU EP/],
    [{}, /TestProvider declined: \d{3} nodes went to CPUExecutionProvider/],
  ])('that claims nothing is refused, whatever the runtime allows: %o', async (config, reason) => {
    const device = engine('nothing', config);
    await expect(device.run(PASS)).rejects.toMatchObject({
      failure: { kind: 'refused', stage: 'create session', reason: expect.stringMatching(reason) },
    });
    await device.close();
    expectNothingLeft();
  });

  it.each([
    ['wrong-version', 'refused', 'load', /needs API version 10000/],
    ['refuse-load', 'refused', 'load', /the test plugin refuses/],
    ['no-device', 'refused', 'create session', /offers no device for TestProvider/],
    ['refuse-compile', 'refused', 'create session', /the test plugin refuses/],
    ['refuse-run', 'refused', 'run', /the test plugin refuses/],
    ['abort-load', 'crashed', 'load', /was ended by SIGABRT/],
    ['abort-compile', 'crashed', 'create session', /was ended by SIGABRT/],
    ['abort-run', 'crashed', 'run', /was ended by SIGABRT/],
  ] as const)(
    'that does %s is a result with stage and reason, on one line, exit code 3',
    async (mode, kind, stage, reason) => {
      await expectResult(mode, kind, stage, reason);
      expectNothingLeft();
    },
  );

  // Together: each waits as long as a device is waited for.
  it('that hangs, at whatever stage, is such a result', async () => {
    const late = /no answer within 4 s/;
    await Promise.all([
      expectResult('hang-load', 'timeout', 'load', late),
      expectResult('hang-compile', 'timeout', 'create session', late),
      expectResult('hang-run', 'timeout', 'run', late),
    ]);
    expectNothingLeft();
  });

  it('does not outlive a parent that is killed while it hangs', async () => {
    const host = JSON.stringify(join(project().root, 'dist', 'hw', 'ort', 'host.js'));
    const plugin = JSON.stringify({ path: library, name: TEST_PROVIDER });
    const program = `import { OrtHost } from ${host}; await OrtHost.start({ plugin: ${plugin} });`;
    const env = { ...process.env, DLLM_TEST_PLUGIN: 'hang-load' };
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { env, stdio: 'ignore' });
    const hanging = await waitFor(() => children(parent.pid!).at(0));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(process.kill(Number(hanging), 0)).toBe(true);
    parent.kill('SIGKILL');
    await waitFor(() => (isRunning(hanging) ? undefined : 'gone'));
  });
});

async function waitFor(look: () => string | undefined): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it never came');
}

/** A process that nobody has waited for yet is gone all the same. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
