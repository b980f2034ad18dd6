import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { DeviceError, lastLine } from '../device-error.js';
import { type DeviceRecord, deviceRecord, fileRecord, type RunTiming } from '../record/device-record.js';
import type { Evidence } from '../record/evidence.js';
import {
  type CommandResult,
  type CommandRunner,
  type TransferOptions,
  withWorkDirectory,
} from '../runner/command-runner.js';
import { type FilePair, pushAll } from '../runner/push-all.js';
import { readTarget, requireArm64, requireSkel, type Target } from '../runner/target.js';
import { readLog } from './log-text.js';
import { type GgmlPackage, type GgmlTool, ggmlPackage } from './package.js';
import { type ProfileLog, parseProfileLog } from './profile-log.js';
import { parseSessionLog, refusalOf, type SessionLog } from './session-log.js';
import { sessionsOf } from './summary.js';

export interface GgmlRun {
  readonly tool: GgmlTool;
  /** Folder that `cmake --install` of llama.cpp made. */
  readonly packageDirectory: string;
  /** GGUF file. */
  readonly model: string;
  /** Arguments of the tool. @param model where the model is on the target */
  readonly args: (model: string) => readonly string[];
  /** `HTP0`, or `none` for the CPU of the target. */
  readonly device: string;
  /** 0 off, 1 operators, 2 with counters, 3 with what every thread did. */
  readonly profile: 0 | 1 | 2 | 3;
  readonly timeoutMs: number;
  /** Directory on the target where tool and model stay for the next run; gone afterwards without. */
  readonly keepIn?: string;
  /** Where the tool's whole log goes on this machine. */
  readonly logPath?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: NonNullable<TransferOptions['onProgress']>;
}

export interface GgmlResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly session: SessionLog;
  /** Null without profiling. */
  readonly profile: ProfileLog | null;
  readonly target: Target;
  readonly record: DeviceRecord;
}

/**
 * Runs a tool of llama.cpp on a target: sends it, its libraries and the model, runs it, reads its log. The directory on
 * the target is gone afterwards, however it ends.
 *
 * @throws DeviceError for a wrong target, a missing library or a refusal; DataError for a log of an unknown dialect
 */
export async function runGgml(runner: CommandRunner, run: GgmlRun): Promise<GgmlResult> {
  const files = ggmlPackage(run.packageDirectory, run.tool);
  const target = await readTarget(runner);
  if (run.device !== 'none') {
    requireArm64(runner, target, `--device ${run.device}`);
    requireSkel(
      target,
      files.libraries.map((file) => basename(file)),
      'libggml-htp-v',
      '.so',
    );
  }
  const use = (directory: string) => inDirectory(runner, run, { files, target, directory });
  return run.keepIn === undefined ? withWorkDirectory(runner, use) : use(run.keepIn);
}

interface Place {
  readonly files: GgmlPackage;
  readonly target: Target;
  readonly directory: string;
}

async function inDirectory(runner: CommandRunner, run: GgmlRun, place: Place): Promise<GgmlResult> {
  const { files, target, directory } = place;
  const { tool, lib, model } = runner.sharesFiles
    ? { tool: resolve(files.tool), lib: resolve(run.packageDirectory, 'lib'), model: resolve(run.model) }
    : await install(runner, run, files, directory);
  const startedAt = new Date().toISOString();
  const { result, stderr, hostMs } = await withLog(
    runner,
    directory,
    run,
    [tool, ...run.args(model)],
    environment(lib, run),
  );
  const log = `${result.stdout}\n${stderr}`;
  const session = parseSessionLog(log);
  if (result.exitCode !== 0) throw refusal(run, result, log, session);
  const profile = parseProfileLog(log);
  const evidence = evidenceOf(run, target, session, profile);
  const used = [files.tool, ...files.libraries, run.model];
  const record = deviceRecord(evidence, {
    tool: { name: run.tool, version: /^build:? (.+)$/m.exec(log)?.[1] ?? null },
    files: await Promise.all(used.map((file) => fileRecord(file))),
    target: { soc: target.socModel, htpArch: session.htpArch ?? target.htpArch, os: target.os },
    options: { device: run.device, args: run.args(basename(run.model)).join(' ') },
    model: { name: basename(run.model), numerics: 'as stored in the file' },
    runs: timings(run, hostMs, profile),
    failure: null,
    startedAt,
  });
  return { stdout: result.stdout, stderr, session, profile, target, record };
}

/** Where tool, libraries and model are on the target. */
interface Installed {
  readonly tool: string;
  readonly lib: string;
  readonly model: string;
}

async function install(
  runner: CommandRunner,
  run: GgmlRun,
  files: GgmlPackage,
  directory: string,
): Promise<Installed> {
  const { signal, onProgress } = run;
  const lib = runner.join(directory, 'lib');
  const tool = runner.join(directory, 'bin', run.tool);
  const model = runner.join(directory, basename(run.model));
  const libraries = files.libraries.map((path): FilePair => [path, runner.join(lib, basename(path))]);
  await pushAll(runner, [[files.tool, tool], ...libraries, [run.model, model]], {
    signal,
    onProgress,
  });
  await runner.exec({ argv: ['chmod', '755', tool], repeatable: true });
  return { tool, lib, model };
}

/** Runs a command with its standard error in a file of the target: a profile is longer than what a pipe is trusted with. */
async function withLog(
  runner: CommandRunner,
  directory: string,
  { tool, timeoutMs, signal, logPath }: GgmlRun,
  argv: readonly string[],
  env: Record<string, string>,
): Promise<{ result: CommandResult; stderr: string; hostMs: number }> {
  const remote = runner.join(directory, 'stderr.log');
  const own = await mkdtemp(join(tmpdir(), 'dllm-npu-log-'));
  const local = logPath ?? join(own, 'stderr.log');
  try {
    const before = performance.now();
    const running = runner.exec({
      argv: ['sh', '-c', 'log=$1; shift; exec "$@" 2> "$log"', 'sh', remote, ...argv],
      env,
      timeoutMs,
      label: tool,
      signal,
    });
    const result = await running.catch(async (error: unknown) => {
      // What it said before it was killed is what the user looks at.
      if (logPath !== undefined) await runner.pull(remote, logPath).catch(() => {});
      throw error;
    });
    const hostMs = performance.now() - before;
    await runner.pull(remote, local);
    return { result, hostMs, stderr: readLog(local) };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

function environment(lib: string, { profile, device }: GgmlRun): Record<string, string> {
  const sessions = device.split(',').length;
  return {
    LD_LIBRARY_PATH: lib,
    ADSP_LIBRARY_PATH: lib,
    // Since mid 2026 the backend calls its device HTP0:0 unless it is told the name; before, it only counted sessions.
    ...(device === 'none' ? {} : { GGML_HEXAGON_DEVICES: device }),
    ...(sessions === 1 ? {} : { GGML_HEXAGON_NDEV: String(sessions) }),
    // Older backends time an operator only when each is waited for; newer ones do not know the variable.
    ...(profile === 0 ? {} : { GGML_HEXAGON_PROFILE: String(profile), GGML_HEXAGON_OPSYNC: '1' }),
  };
}

/**
 * llama.cpp cannot be forbidden to use the CPU. What its record holds is therefore the profile alone: every time in it is
 * that of one operator, counted by the accelerator itself.
 */
function evidenceOf(run: GgmlRun, target: Target, session: SessionLog, profile: ProfileLog | null): Evidence {
  const library = session.sessions[0]?.library ?? null;
  const cycles = profile === null ? null : profile.ops.reduce((sum, op) => sum + op.cycles, 0);
  return {
    targetArch: target.arch,
    backend: run.device === 'none' ? 'none' : 'htp',
    backendFile: library,
    fallbackDisabled: false,
    created: session.sessions.length > 0,
    foreignNodes: null,
    socId: target.socId,
    acceleratorCycles: cycles,
    perOperator: profile === null ? undefined : true,
  };
}

/** One timing for each NPU: they work at the same time, so that their times cannot be added. */
function timings({ tool }: GgmlRun, hostMs: number, profile: ProfileLog | null): RunTiming[] {
  if (profile === null) return [{ id: tool, hostMs, acceleratorUs: null, acceleratorCycles: null, ops: [] }];
  const sessions = sessionsOf(profile);
  return sessions.map((session) => {
    const ops = profile.ops.filter((op) => op.session === session);
    return {
      id: sessions.length === 1 ? tool : `${tool} on ${session}`,
      hostMs,
      acceleratorUs: ops.reduce((sum, { us }) => sum + us, 0),
      acceleratorCycles: ops.reduce((sum, { cycles }) => sum + cycles, 0),
      ops: ops.map(({ op, names, dims, us, cycles }) => ({ op: `${op} ${names} [${dims}]`, us, cycles })),
    };
  });
}

function refusal(run: GgmlRun, { exitCode }: CommandResult, log: string, session: SessionLog): DeviceError {
  const refused = refusalOf(session);
  const said = refused?.said ?? lastLine(log);
  const kind = exitCode >= 128 ? 'crashed' : 'refused';
  const reason = `${run.tool} ended with code ${exitCode}${said === '' ? '' : ` (${said})`}`;
  const advice = refused?.next ?? 'Keep its whole output with --log FILE and look there';
  return new DeviceError({ kind, stage: 'run', reason }, advice);
}
