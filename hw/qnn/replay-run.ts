import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import {
  agreementOf,
  compareRow,
  type RowAgreement,
  type RowDifference,
} from '../../src/engine/compare/agreement.js';
import type { NetRunProfile, ProfilingLevel } from '../choices.js';
import { complaint, DeviceError, lastLine } from '../device-error.js';
import type { CommandRunner, TransferOptions } from '../runner/command-runner.js';
import type { ExecutionProfile } from './profile.js';
import type { BucketReplay, ReplayPass } from './replay-plan.js';
import { netRunArgs, requireFlags, viewerArgs } from './tools-command.js';
import { inputList, readOutput } from './tools-files.js';
import { parseViewerCsv } from './tools-profile.js';
import type { Installation } from './tools-sdk.js';

export interface ReplayRunOptions {
  readonly runner: CommandRunner;
  readonly installation: Installation;
  /** Work directory on the target. */
  readonly directory: string;
  /** Compiled graph on this machine, `.bin` or `.dlc`. */
  readonly graph: string;
  readonly vocab: number;
  readonly maskId: number | null;
  /** Margin in logits below which a row is a near-tie. */
  readonly nearTie: number;
  readonly profilingLevel?: ProfilingLevel;
  readonly perfProfile?: NetRunProfile;
  /** qnn-profile-viewer of this machine; without it there are no times of the accelerator. */
  readonly viewer?: string;
  /** Runs the viewer. */
  readonly local: CommandRunner;
  readonly timeoutMs: number;
  readonly transfer: TransferOptions;
}

export interface ReplayedPass {
  readonly step: number;
  readonly passId: string;
  readonly kind: string;
  readonly rows: number;
  /** Null for a pass without logits. */
  readonly agreement: RowAgreement | null;
  /** Null without a profile. */
  readonly profile: ExecutionProfile | null;
}

export interface BucketResult {
  readonly bucket: string;
  readonly hostMs: number;
  readonly passes: readonly ReplayedPass[];
  readonly differences: readonly RowDifference[];
  /** Why there are no times of the accelerator; null when there are. */
  readonly untimed: string | null;
}

/**
 * Runs all passes of a bucket in one process of qnn-net-run and compares the logits of every pass with the reference's.
 * @throws DeviceError when the tool refuses or crashes; DataError when an output is missing or of another size
 */
export async function runBucket(replay: BucketReplay, options: ReplayRunOptions): Promise<BucketResult> {
  const { runner, installation, directory, graph, transfer, timeoutMs } = options;
  const place = runner.join(directory, replay.name);
  const inputs = runner.sharesFiles ? resolve(replay.directory) : runner.join(place, 'in');
  const remoteGraph = runner.sharesFiles ? resolve(graph) : runner.join(directory, basename(graph));
  if (!runner.sharesFiles) {
    await runner.pushTree(replay.directory, inputs, transfer);
    await runner.push(graph, remoteGraph, transfer);
  }
  const lists = mkdtempSync(join(tmpdir(), 'dllm-npu-replay-'));
  try {
    const list = join(lists, 'inputs.txt');
    const lines = replay.passes.map(
      ({ files }) => new Map([...files].map(([name, file]) => [name, runner.join(inputs, file)])),
    );
    writeFileSync(list, inputList(lines));
    const remoteList = runner.join(place, 'inputs.txt');
    await runner.push(list, remoteList, transfer);
    const output = runner.join(place, 'out');
    const args = netRunArgs({
      backend: installation.backend,
      inputList: remoteList,
      outputDirectory: output,
      graph: graph.endsWith('.dlc')
        ? { dlc: remoteGraph, loader: runner.join(installation.libraries, 'libQnnModelDlc.so') }
        : { context: remoteGraph },
      profilingLevel: options.profilingLevel,
      perfProfile: options.perfProfile,
    });
    const env = { LD_LIBRARY_PATH: installation.libraries, ADSP_LIBRARY_PATH: installation.libraries };
    await requireFlags(runner, installation.tool, args, env);
    const before = performance.now();
    const result = await runner.exec({
      argv: [installation.tool, ...args],
      cwd: place,
      env,
      timeoutMs,
      signal: transfer.signal,
    });
    const hostMs = performance.now() - before;
    if (result.exitCode !== 0) throw refusal(result.exitCode, `${result.stdout}\n${result.stderr}`);
    // The tool's own files are often not readable for others, and those that fetch them are others.
    await runner.exec({ argv: ['chmod', '-R', 'a+rX', output], repeatable: true });
    const results = join(lists, 'out');
    await runner.pullTree(output, results, transfer);
    const { executions: profiles, untimed } = await profileOf(results, replay, options);
    const passes = replay.passes.map((pass, index) =>
      compare(pass, readOutput(results, index, replay.output), options),
    );
    return {
      bucket: replay.name,
      hostMs,
      untimed,
      differences: passes.flatMap(({ rows }) => rows),
      passes: passes.map(({ rows }, index) => {
        const { step, passId, kind, rows: count } = replay.passes[index];
        const agreement = rows.length === 0 ? null : agreementOf(rows, options.nearTie);
        return { step, passId, kind, rows: count, agreement, profile: profiles[index] ?? null };
      }),
    };
  } finally {
    rmSync(lists, { recursive: true, force: true });
  }
}

function compare(
  pass: ReplayPass,
  logits: Float32Array,
  { vocab, maskId }: ReplayRunOptions,
): { readonly rows: RowDifference[] } {
  const row = (_: unknown, at: number) => compareRow(pass.logits, logits, at * vocab, vocab, maskId);
  return { rows: Array.from({ length: pass.logitsRows }, row) };
}

/** Profiles of the executions in order, or why there are none. */
async function profileOf(
  results: string,
  { name, passes }: BucketReplay,
  { viewer, local, profilingLevel }: ReplayRunOptions,
): Promise<{ readonly executions: readonly ExecutionProfile[]; readonly untimed: string | null }> {
  const none = (untimed: string) => ({ executions: [], untimed });
  if (profilingLevel === undefined) return none('profiling was off');
  if (viewer === undefined) return none('the SDK has no qnn-profile-viewer for this machine');
  const log = ['qnn-profiling-data_0.log', 'qnn-profiling-data.log']
    .map((file) => join(results, file))
    .find((file) => existsSync(file));
  if (log === undefined) return none('qnn-net-run wrote no profile');
  const csv = join(results, 'profile.csv');
  const { exitCode, stderr } = await local.exec({ argv: [viewer, ...viewerArgs(log, csv)] });
  if (exitCode !== 0 || !existsSync(csv)) {
    return none(`qnn-profile-viewer: ${lastLine(stderr) || `exit code ${exitCode}`}`);
  }
  const executions = parseViewerCsv(readFileSync(csv, 'utf8'), `profile of ${name}`);
  // Only a profile of exactly these passes can be laid beside them.
  if (executions.length === passes.length) return { executions, untimed: null };
  return none(`the profile has ${executions.length} executions for ${passes.length} passes`);
}

function refusal(exitCode: number, output: string): DeviceError {
  const kind = exitCode >= 128 ? 'crashed' : 'refused';
  return new DeviceError(
    { kind, stage: 'run', reason: `qnn-net-run ended with code ${exitCode} (${complaint(output)})` },
    'The graph must be compiled for this NPU and this SDK',
  );
}
