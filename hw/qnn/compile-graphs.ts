import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { complaint, DeviceError, environmentFailure } from '../device-error.js';
import type { CommandRunner } from '../runner/command-runner.js';
import { generatorArgs, requireFlags } from './tools-command.js';
import type { QairtSdk } from './tools-sdk.js';

const PLATFORM = 'x86_64-linux-clang';

export interface CompileOptions {
  readonly sdk: QairtSdk;
  readonly runner: CommandRunner;
  /** Folder with `r32-c64.dlc` and so on; the context binaries appear beside them. */
  readonly graphs: string;
  /** Settings of the HTP backend: SoC, architecture, TCM. */
  readonly configFile?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Makes a context binary of every DLC in a folder with qnn-context-binary-generator. The backend is this machine's
 * even when the context is for a phone: the generator runs here.
 * @throws DeviceError when a tool is missing, refuses a graph or crashes
 */
export async function compileGraphs(options: CompileOptions): Promise<string[]> {
  const { sdk, runner, graphs, configFile, timeoutMs, signal, onProgress } = options;
  const names = existsSync(graphs)
    ? readdirSync(graphs).flatMap((file) => /^(r\d+-c\d+)\.dlc$/.exec(file)?.[1] ?? [])
    : [];
  if (names.length === 0) {
    throw environmentFailure(
      'graphs',
      `${graphs} has no .dlc file of a bucket`,
      'Convert the ONNX files with qairt-converter first',
    );
  }
  const tool = sdk.tool('qnn-context-binary-generator', PLATFORM);
  const env = { LD_LIBRARY_PATH: sdk.libraryDirectory(PLATFORM) };
  const made: string[] = [];
  for (const [index, name] of names.sort().entries()) {
    const args = generatorArgs({
      backend: sdk.library('libQnnHtp.so', PLATFORM),
      loader: sdk.library('libQnnModelDlc.so', PLATFORM),
      dlc: join(graphs, `${name}.dlc`),
      binary: name,
      outputDirectory: graphs,
      configFile,
    });
    if (index === 0) await requireFlags(runner, tool, args, env);
    const { exitCode, stdout, stderr } = await runner.exec({
      argv: [tool, ...args],
      env,
      timeoutMs,
      signal,
    });
    const path = join(graphs, `${name}.bin`);
    if (exitCode !== 0 || !existsSync(path)) {
      throw new DeviceError(
        {
          kind: exitCode >= 128 ? 'crashed' : 'refused',
          stage: 'compile',
          reason: `${name}.dlc: ${complaint(`${stdout}\n${stderr}`)}`,
        },
        'The backend rejects the graph: another --config, or another format of its numbers',
      );
    }
    made.push(path);
    onProgress?.(index + 1, names.length);
  }
  return made;
}
