import { z } from 'zod';
import { DataError } from '../../src/errors.js';
import { plainJson } from '../../src/util/plain-json.js';
import { parseAs } from '../../src/util/read-file.js';
import { environmentFailure } from '../device-error.js';
import { isQnnDataType, type RawTensor } from './raw-tensor.js';

/** One tensor in the JSON of qnn-context-binary-utility; versions of the SDK add fields. */
const tensorSchema = z.object({
  info: z.object({
    name: z.string(),
    dataType: z.string(),
    dimensions: z.array(z.int().positive()),
    quantizeParams: z
      .object({ scaleOffset: z.object({ scale: z.number(), offset: z.number() }).optional() })
      .optional(),
  }),
});

const contextSchema = z.object({
  info: z.object({
    buildId: z.string(),
    contextMetadata: z.object({ info: z.object({ dspArch: z.int().optional() }) }).optional(),
    graphs: z
      .array(
        z.object({
          info: z.object({
            graphName: z.string(),
            graphInputs: z.array(tensorSchema),
            graphOutputs: z.array(tensorSchema),
          }),
        }),
      )
      .min(1),
  }),
});

export interface ContextGraph {
  readonly name: string;
  readonly inputs: readonly RawTensor[];
  readonly outputs: readonly RawTensor[];
}

export interface ContextInfo {
  /** Build of QNN that made it, e.g. `v2.51.0.260929181845`. */
  readonly buildId: string;
  /** NPU it was compiled for, e.g. `v79`; null where it does not say. */
  readonly htpArch: string | null;
  readonly graphs: readonly ContextGraph[];
}

/** Reads what qnn-context-binary-utility says of a context. @throws DataError naming the field */
export function parseContextInfo(text: string, label: string): ContextInfo {
  let json: unknown;
  try {
    json = plainJson(text);
  } catch {
    throw new DataError(`${label}: qnn-context-binary-utility wrote no JSON`);
  }
  const { buildId, graphs, contextMetadata } = parseAs(json, contextSchema, label).info;
  const dspArch = contextMetadata?.info.dspArch ?? 0;
  return {
    buildId,
    htpArch: dspArch === 0 ? null : `v${dspArch}`,
    graphs: graphs.map(({ info }) => ({
      name: info.graphName,
      inputs: info.graphInputs.map((tensor) => rawTensor(tensor, label)),
      outputs: info.graphOutputs.map((tensor) => rawTensor(tensor, label)),
    })),
  };
}

function rawTensor({ info }: z.output<typeof tensorSchema>, label: string): RawTensor {
  const { name, dataType, dimensions, quantizeParams } = info;
  if (!isQnnDataType(dataType))
    throw new DataError(`${label}: ${name} is of ${dataType}, which is not read here`);
  return { name, dataType, dims: dimensions, ...quantizeParams?.scaleOffset };
}

/**
 * A context runs on the build of QNN that made it or a newer one of the same major version.
 * @param libraryBuild null when the library does not tell: nothing is refused then
 * @throws DeviceError naming both builds
 */
export function requireBuild(context: ContextInfo, libraryBuild: string | null, label: string): void {
  if (libraryBuild === null) return;
  const [made, runs] = [numbers(context.buildId), numbers(libraryBuild)];
  const older = runs.findIndex((part, at) => part !== (made[at] ?? 0));
  if (made[0] === runs[0] && (older < 0 || runs[older] > (made[older] ?? 0))) return;
  throw environmentFailure(
    'context',
    `${label} was made by QNN ${context.buildId}, the libraries are ${libraryBuild}`,
    'Make it with the SDK that runs it, or use a newer SDK',
  );
}

/**
 * A context for a newer NPU than the phone's does not run there. Nothing is refused when either does not say.
 * @throws DeviceError naming both
 */
export function requireArch({ htpArch }: ContextInfo, target: string | null, label: string): void {
  if (htpArch === null || target === null || Number(htpArch.slice(1)) <= Number(target.slice(1))) return;
  throw environmentFailure(
    'context',
    `${label} was compiled for an NPU ${htpArch}, the phone has ${target}`,
    'Compile it for this one (--config of `device qnn compile`)',
  );
}

/** `v2.51.0.260929181845` as numbers, the build's time left out. */
const numbers = (build: string): number[] => build.replace(/^v/, '').split('.').slice(0, 3).map(Number);
