import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { libraryDirectory, packageDirectory, packagesFor, readManifest } from '../qnn/packages.js';
import type { FileRecord } from '../record/device-record.js';
import { libraryRecord } from '../session/library-record.js';
import { type Finding, found, missing, problem } from './finding.js';

/** A folder with the plugin and QNN's libraries. */
export interface QnnFolder {
  readonly directory: string;
  readonly origin: string;
  readonly plugin: string;
  readonly backends: Readonly<Record<'htp' | 'cpu', string | null>>;
}

export interface QnnLibraries {
  readonly findings: readonly Finding[];
  readonly folders: readonly QnnFolder[];
  readonly libraries: readonly FileRecord[];
}

const GET = 'dllm-npu device fetch';

/** Looks where runs look: into QNN_EP_DIR when it is set, else into what was fetched. */
export async function inspectLibraries(
  env: Readonly<Record<string, string | undefined>>,
  cache: string,
): Promise<QnnLibraries> {
  const named = env.QNN_EP_DIR;
  const places = named ? [{ directory: named, origin: 'QNN_EP_DIR' }] : await fetchedPlaces(cache);
  if (places.length === 0) {
    return {
      findings: [missing('QNN libraries', 'none fetched, QNN_EP_DIR is not set', GET)],
      folders: [],
      libraries: [],
    };
  }
  const findings: Finding[] = [];
  const folders: QnnFolder[] = [];
  const libraries: FileRecord[] = [];
  for (const { directory, origin } of places) {
    const files = existsSync(directory) ? readdirSync(directory) : [];
    const pick = (pattern: RegExp) => files.find((file) => pattern.test(file)) ?? null;
    const plugin = pick(/^(lib)?onnxruntime_providers_qnn\.(so|dll)$/);
    if (plugin === null) {
      const says = `${directory} has no onnxruntime_providers_qnn library`;
      findings.push(
        problem(`QNN libraries (${origin})`, says, `Unset it and run ${GET}, or name the right folder`),
      );
      continue;
    }
    const backends = { htp: pick(/^(lib)?QnnHtp\.(so|dll)$/), cpu: pick(/^(lib)?QnnCpu\.(so|dll)$/) };
    const there = [backends.htp, backends.cpu].filter((file) => file !== null);
    const skels = files
      .map((file) => /QnnHtpV(\d+)Skel/.exec(file)?.[1])
      .filter((version) => version !== undefined);
    const dsp =
      skels.length === 0 ? '' : `; DSP libraries for ${skels.map((version) => `v${version}`).join(', ')}`;
    findings.push(found(`QNN libraries (${origin})`, `${[plugin, ...there].join(', ')}${dsp}`));
    folders.push({ directory, origin, plugin, backends });
    for (const file of [plugin, ...there]) {
      libraries.push(await libraryRecord(join(directory, file)));
    }
  }
  return { findings, folders, libraries };
}

async function fetchedPlaces(cache: string): Promise<{ directory: string; origin: string }[]> {
  const places: { directory: string; origin: string }[] = [];
  for (const wheel of packagesFor()) {
    const directory = packageDirectory(cache, wheel);
    if ((await readManifest(directory)) === null) continue;
    places.push({ directory: libraryDirectory(directory), origin: `fetched ${wheel.version}` });
  }
  return places;
}

/** Android tools of the SDK, and the DSP architectures that it has libraries for. */
export interface QairtFolder {
  readonly root: string;
  readonly netRun: boolean;
  readonly archs: readonly string[];
}

/** Looks at `QAIRT_ROOT`, which the tools of `device qnn` take. */
export function inspectSdk(root: string | undefined): { finding: Finding; sdk: QairtFolder | null } {
  const what = 'QNN SDK';
  const get =
    'For runs on a phone by QNN: get the Qualcomm AI Engine Direct SDK (QAIRT), set QAIRT_ROOT to its folder with bin/ and lib/';
  if (!root) return { finding: missing(what, 'QAIRT_ROOT is not set', get), sdk: null };
  const netRun = existsSync(join(root, 'bin', 'aarch64-android', 'qnn-net-run'));
  const lib = join(root, 'lib');
  const archs = (existsSync(lib) ? readdirSync(lib) : [])
    .map((name) => /^hexagon-(v\d+)$/.exec(name)?.[1])
    .filter((arch) => arch !== undefined)
    .sort();
  if (!netRun) {
    return { finding: problem(what, `${root} has no bin/aarch64-android/qnn-net-run`, get), sdk: null };
  }
  return {
    finding: found(
      what,
      `qnn-net-run for Android, DSP libraries for ${archs.join(', ') || 'no architecture'}`,
    ),
    sdk: { root, netRun, archs },
  };
}
