import { type CompareReport, compareReport } from '../../hw/compare/report.js';
import { NEAR_TIES } from '../../hw/compare/verdict.js';
import { type Bucket, bucketFor, bucketName } from '../../hw/graph/buckets.js';
import type { DeviceRecord } from '../../hw/record/device-record.js';
import type { DeviceSession } from '../../hw/session/device-session.js';
import { GgmlSession } from '../../hw/session/ggml-session.js';
import { recorded } from '../../hw/session/recorded.js';
import type { RunSession } from '../../hw/session/run-session.js';
import { profileHash } from '../../sim/hardware/load-profile.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import { compareEngines } from '../../src/engine/compare/compare-engines.js';
import { fileSha256, type LoadedModel } from '../../src/model/load.js';
import { openEngine, openPolicy } from '../lab/open.js';
import { GRAPH_TIMED_AS, ggmlTimedAs, type SimulatedOptions, simulateBuckets } from './simulate-buckets.js';

export interface DeviceComparison extends SimulatedOptions {
  readonly model: LoadedModel;
  readonly spec: PolicySpec;
  readonly problems: readonly { readonly index: number; readonly promptIds: readonly number[] }[];
  readonly range: CompareReport['problems'];
  readonly genLength: number;
  /** Margin in logits below which a decision may turn; the format's own by default. */
  readonly nearTie?: number;
  /** A record whose device times stand beside the simulated ones. */
  readonly timed: { readonly name: string; readonly record: DeviceRecord } | null;
  readonly gitCommit: string | undefined;
  /** Where the record of the run goes, whatever becomes of it. */
  readonly recordPath: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * The same passes on the reference, on the device of the session and on the simulator.
 * @throws DeviceError when the device refuses or breaks down; its record is written then, too
 */
export async function compareDevice(
  session: DeviceSession | GgmlSession,
  request: DeviceComparison,
): Promise<CompareReport> {
  const { model, spec, problems, genLength, signal, onProgress } = request;
  const { numerics } = session;
  const reference = await openEngine(model, {});
  const compare = ({ engine }: RunSession) =>
    compareEngines({
      reference,
      engine,
      policy: openPolicy(spec),
      problems,
      genLength,
      nearTie: request.nearTie ?? NEAR_TIES[numerics],
      signal,
      onProgress,
    });
  const timedAs =
    session instanceof GgmlSession
      ? ggmlTimedAs(model, session.device.name)
      : GRAPH_TIMED_AS[session.numerics];
  const { result: compared, record } = await recorded(session, request.recordPath, compare, signal).finally(
    () => reference.dispose(),
  );
  const { contextLength, name } = model.config;
  const bucketOf = (rows: number, reads: number): Bucket =>
    // Graphs of ggml are made for every shape.
    session instanceof GgmlSession ? { rows, context: reads } : bucketFor(rows, reads, contextLength);
  const buckets = new Map(
    compared.states.map(({ passRows, reads }) => {
      const bucket = bucketOf(passRows, reads);
      return [bucketName(bucket), bucket];
    }),
  );
  return compareReport({
    compared,
    record,
    numerics,
    bucketOf,
    genLength,
    timed: request.timed,
    gitCommit: request.gitCommit,
    simulated: simulateBuckets(model.config, timedAs, [...buckets.values()], request),
    profileSha256: profileHash(request.profile),
    model: { name, sha256: await fileSha256(model.weightsPath) },
    problems: request.range,
  });
}
