import type { Command } from 'commander';
import type { PackageManifest } from '../../hw/qnn/packages.js';
import { EnvironmentError, UsageError } from '../../src/errors.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';
import { progressBar } from '../progress.js';

interface FetchCommandOptions {
  readonly package?: string;
  readonly timeout: number;
}

export function registerDeviceFetch(device: Command, context: () => Context): void {
  device
    .command('fetch')
    .description(
      "download Qualcomm's libraries for this machine with pip, check them, unpack what a run needs",
    )
    .option('--package <version>', 'only this version of onnxruntime-qnn (default: all that are of use here)')
    .option('--timeout <s>', 'seconds that each download may take', integer(1, 86_400), 480)
    .addHelpText(
      'after',
      "\nQualcomm's licence comes with the package and is unpacked beside the libraries. They go to a cache outside this" +
        '\nproject: $DLLM_NPU_CACHE, $XDG_CACHE_HOME/dllm-npu or ~/.cache/dllm-npu. What is there already is kept. Exits with 3' +
        '\nand the words of pip when a package cannot be had.' +
        '\n\nExamples:\n  $ dllm-npu device fetch\n  $ dllm-npu device fetch --package 2.7.0 --json',
    )
    .action((options: FetchCommandOptions) => fetchAll(context(), options));
}

interface Fetch {
  readonly version: string;
  readonly purpose: string;
  readonly state: 'present' | 'fetched';
  readonly QNN_EP_DIR: string;
  readonly manifest: PackageManifest;
}

async function fetchAll(ctx: Context, options: FetchCommandOptions): Promise<void> {
  const { packageDirectory, packagesFor, QNN_PACKAGES, readManifest } = await import(
    '../../hw/qnn/packages.js'
  );
  const { fetchPackage } = await import('../../hw/qnn/fetch-package.js');
  const { cacheDirectory } = await import('../../src/util/cache-directory.js');
  const machine = `${process.platform}-${process.arch}`;
  const here = packagesFor(machine);
  if (here.length === 0) {
    const machines = [...new Set(QNN_PACKAGES.map((wheel) => wheel.machine))].join(', ');
    throw new EnvironmentError(`there is no package of onnxruntime-qnn for ${machine}, only for ${machines}`);
  }
  const wanted = here.filter(({ version }) => options.package === undefined || version === options.package);
  if (wanted.length === 0) {
    const versions = here.map(({ version }) => version).join(', ');
    throw new UsageError(`--package ${options.package}: for ${machine} there are ${versions}`);
  }
  const cache = cacheDirectory(ctx.io.env);
  const results: Fetch[] = [];
  const refusals: string[] = [];
  for (const wheel of wanted) {
    const { version, purpose, megabytes } = wheel;
    const bar = progressBar(ctx, 'MB', { log: true });
    try {
      if ((await readManifest(packageDirectory(cache, wheel))) === null) {
        ctx.note(`onnxruntime-qnn ${version}: ${megabytes} MB, for the ${purpose}`);
      }
      const { state, libraries, manifest } = await fetchPackage(wheel, {
        cache,
        timeoutMs: options.timeout * 1000,
        signal: ctx.signal,
        onProgress: (done, total) => bar.update(Math.round(Math.min(done, total)), Math.round(total)),
      });
      results.push({ version, purpose, state, QNN_EP_DIR: libraries, manifest });
    } catch (error) {
      // One package is of use without the other.
      if (!(error instanceof EnvironmentError)) throw error;
      refusals.push(`onnxruntime-qnn ${version}: ${error.message}`);
    } finally {
      bar.stop();
    }
  }
  ctx.data({ packages: results, refusals });
  for (const { version, purpose, state, QNN_EP_DIR, manifest } of results) {
    ctx.print(`onnxruntime-qnn ${version}, ${state === 'present' ? 'there already' : 'fetched'}: ${purpose}`);
    ctx.print(`  wheel sha256 ${manifest.wheel.sha256}`);
    ctx.print(`  export QNN_EP_DIR=${QNN_EP_DIR}`);
  }
  if (refusals.length > 0) throw new EnvironmentError(refusals.join('; '));
}
