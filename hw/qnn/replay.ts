import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Trace } from '../../src/decode/trace/trace.js';
import { agreementOf, type RowAgreement } from '../../src/engine/compare/agreement.js';
import type { Engine } from '../../src/engine/engine.js';
import { DeviceError, environmentFailure, lastLine } from '../device-error.js';
import { bucketName } from '../graph/buckets.js';
import { stepGraph } from '../graph/step-graph.js';
import { AS_COMPILED, type DeviceRecord, deviceRecord, fileRecord } from '../record/device-record.js';
import type { Evidence } from '../record/evidence.js';
import { archOf } from '../record/execution-class.js';
import { type CommandRunner, withWorkDirectory } from '../runner/command-runner.js';
import { LocalRunner } from '../runner/local-runner.js';
import { readTarget, requireArm64, type Target } from '../runner/target.js';
import { opTimes } from '../session/op-times.js';
import { bucketsOf } from './replay-graphs.js';
import { type BucketReplay, writeReplay } from './replay-plan.js';
import { type BucketResult, type ReplayRunOptions, runBucket } from './replay-run.js';
import { utilityArgs } from './tools-command.js';
import { type ContextInfo, parseContextInfo, requireArch, requireBuild } from './tools-context.js';
import {
  buildIdOf,
  type Installation,
  installNetRun,
  localNetRun,
  type QairtSdk,
  skelFor,
} from './tools-sdk.js';

export interface ReplayOptions
  extends Pick<ReplayRunOptions, 'nearTie' | 'profilingLevel' | 'perfProfile' | 'timeoutMs' | 'transfer'> {
  readonly trace: Trace;
  /** Computes what is expected; not disposed of. */
  readonly reference: Engine;
  /** File of the weights, so that the record says which ones ran. */
  readonly weightsPath: string;
  /** Folder with a compiled graph per bucket: `r32-c64.bin` or `r32-c64.dlc`. */
  readonly graphs: string;
  readonly sdk: QairtSdk;
  /** A phone; null: the SDK's own programs on this machine. */
  readonly phone: CommandRunner | null;
  /** On this machine: reference code, or the emulation of the NPU. A phone always uses its NPU. */
  readonly backend: 'cpu' | 'htp';
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ReplayResult {
  readonly buckets: readonly BucketResult[];
  /** All rows together. */
  readonly agreement: RowAgreement;
  readonly record: DeviceRecord;
}

const HOST_PLATFORM = 'x86_64-linux-clang';

/**
 * Open-loop replay: all passes of a recorded decode through qnn-net-run, one process per bucket, each pass on the
 * tokens, K and V of the reference. Starting the tool loads the graph, which takes seconds for a large model: a closed loop
 * would start it for every step.
 *
 * @throws DeviceError for a missing tool, graph or phone, or what the tool refuses; DataError for outputs that do not fit
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { trace, reference, sdk, phone, graphs } = options;
  const local = new LocalRunner();
  const runner = phone ?? local;
  const startedAt = new Date().toISOString();
  const target = await targetOf(options, runner);
  // What is missing is told before the reference computes for minutes.
  for (const { bucket } of bucketsOf(trace, reference.config.contextLength))
    graphPath(graphs, bucketName(bucket));
  const contexts = new Map<string, ContextInfo>();
  const work = mkdtempSync(join(tmpdir(), 'dllm-npu-replay-'));
  try {
    for (const name of bucketsIn(graphs)) {
      const info = await contextInfo(sdk, local, join(graphs, `${name}.bin`), join(work, `${name}.json`));
      if (info === null) continue;
      if (phone !== null) requireArch(info, target.htpArch, `${name}.bin`);
      contexts.set(name, info);
    }
    const tensors = (bucket: string) => contexts.get(bucket)?.graphs[0] ?? null;
    const planned = await writeReplay(trace, reference, join(work, 'in'), tensors, options.onProgress);
    const paths = planned.map(({ name }) => graphPath(graphs, name));
    return await withWorkDirectory(runner, async (directory) => {
      const installation =
        phone === null
          ? localNetRun(sdk, options.backend === 'cpu' ? 'libQnnCpu.so' : 'libQnnHtp.so')
          : await installNetRun(sdk, phone, target, directory, options.transfer);
      const build = buildIdOf(installation.files.find((file) => /libQnn(Htp|Cpu)\.so$/.test(file)) ?? '');
      for (const [name, info] of contexts) requireBuild(info, build, `${name}.bin`);
      const results: BucketResult[] = [];
      for (const [index, bucket] of planned.entries()) {
        results.push(
          await runBucket(
            bucket,
            runOptions(options, { runner, local, installation, directory }, paths[index]),
          ),
        );
      }
      const record = await recordOf(
        options,
        { target, installation, build, startedAt, paths },
        planned,
        results,
      );
      const rows = results.flatMap(({ differences }) => differences);
      return { buckets: results, agreement: agreementOf(rows, options.nearTie), record };
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function targetOf({ phone, sdk }: ReplayOptions, runner: CommandRunner): Promise<Target> {
  const target = await readTarget(runner);
  if (phone !== null) {
    requireArm64(runner, target, 'qnn-net-run on the NPU');
    skelFor(sdk, target);
  }
  return target;
}

/** Buckets that have a context binary. */
function bucketsIn(graphs: string): string[] {
  if (!existsSync(graphs)) throw environmentFailure('graphs', `${graphs} does not exist`, MAKE_GRAPHS);
  return readdirSync(graphs).flatMap((name) => /^(r\d+-c\d+)\.bin$/.exec(name)?.[1] ?? []);
}

const MAKE_GRAPHS = 'Write the step graphs with `device qnn graphs` and compile them as it says';

/** Compiled graph of a bucket. @throws DeviceError naming it */
function graphPath(graphs: string, bucket: string): string {
  const found = [`${bucket}.bin`, `${bucket}.dlc`]
    .map((name) => join(graphs, name))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw environmentFailure('graphs', `${graphs} has neither ${bucket}.bin nor ${bucket}.dlc`, MAKE_GRAPHS);
}

/** What a context binary holds; null when there is none. */
async function contextInfo(
  sdk: QairtSdk,
  local: CommandRunner,
  context: string,
  jsonFile: string,
): Promise<ContextInfo | null> {
  if (!existsSync(context)) return null;
  const tool = sdk.tool('qnn-context-binary-utility', HOST_PLATFORM);
  const env = { LD_LIBRARY_PATH: sdk.libraryDirectory(HOST_PLATFORM) };
  const { exitCode, stderr, stdout } = await local.exec({
    argv: [tool, ...utilityArgs(context, jsonFile)],
    env,
  });
  if (exitCode === 0 && existsSync(jsonFile))
    return parseContextInfo(readFileSync(jsonFile, 'utf8'), basename(context));
  const said = lastLine(`${stdout}\n${stderr}`);
  throw new DeviceError(
    { kind: 'refused', stage: 'context', reason: `${basename(context)} cannot be read (${said})` },
    'A context of a newer SDK needs that SDK',
  );
}

function runOptions(
  { reference, sdk, nearTie, profilingLevel, perfProfile, timeoutMs, transfer }: ReplayOptions,
  place: Pick<ReplayRunOptions, 'runner' | 'local' | 'installation' | 'directory'>,
  graph: string,
): ReplayRunOptions {
  const viewer = join(sdk.root, 'bin', HOST_PLATFORM, 'qnn-profile-viewer');
  const { vocab, maskId } = reference.config;
  return {
    ...place,
    graph,
    vocab,
    maskId,
    nearTie,
    timeoutMs,
    transfer,
    profilingLevel,
    perfProfile,
    ...(existsSync(viewer) ? { viewer } : {}),
  };
}

interface RecordParts {
  readonly target: Target;
  readonly installation: Installation;
  readonly build: string | null;
  readonly startedAt: string;
  readonly paths: readonly string[];
}

async function recordOf(
  { trace, reference, weightsPath, phone, backend, perfProfile }: ReplayOptions,
  { target, installation, build, startedAt, paths }: RecordParts,
  planned: readonly BucketReplay[],
  results: readonly BucketResult[],
): Promise<DeviceRecord> {
  const passes = results.flatMap(({ passes: of }) => of);
  const cycles = passes.map(({ profile }) => profile?.acceleratorCycles ?? null);
  const known = cycles.filter((value) => value !== null);
  const evidence: Evidence = {
    targetArch: phone === null ? archOf(process.arch) : target.arch,
    backend: phone === null ? backend : 'htp',
    backendFile: basename(installation.backend),
    // qnn-net-run has no other place to run a node: the backend takes the whole graph, or the tool fails.
    fallbackDisabled: true,
    created: true,
    foreignNodes: 0,
    socId: target.socId,
    acceleratorCycles: known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0),
  };
  return deviceRecord(evidence, {
    tool: { name: 'qnn-net-run', version: build },
    files: await Promise.all([...installation.files, ...paths, weightsPath].map((path) => fileRecord(path))),
    target: { soc: target.socModel, htpArch: target.htpArch, os: target.os },
    options: {
      replay: 'open loop, one process per bucket; its host time is shared evenly',
      ...(perfProfile === undefined ? {} : { perf_profile: perfProfile }),
    },
    model: { name: trace.header.model.name, numerics: AS_COMPILED },
    runs: results.flatMap(({ bucket, passes: of, hostMs }) => {
      const extents = planned.find(({ name }) => name === bucket)?.bucket;
      const graph = extents === undefined ? null : stepGraph(reference.config, extents);
      return of.map(({ passId, profile }) => ({
        id: passId,
        bucket: extents,
        // One process runs them all: its time is shared evenly.
        hostMs: hostMs / of.length,
        acceleratorUs: profile?.acceleratorUs ?? null,
        acceleratorCycles: profile?.acceleratorCycles ?? null,
        ops: graph === null ? [] : opTimes(graph, profile?.nodes ?? []),
      }));
    }),
    failure: null,
    startedAt,
  });
}
