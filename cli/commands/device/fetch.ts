import { z } from 'zod';
import { fetchPackages, wantedPackages } from '../../../hw/qnn/fetch-package.js';
import { EnvironmentError } from '../../../src/errors.js';
import { cacheDirectory } from '../../../src/util/cache-directory.js';
import { defineCommand } from '../../command.js';
import { timeout } from '../../device-target.js';
import { progressBar } from '../../progress.js';

export const command = defineCommand({
  options: {
    package: z
      .string()
      .optional()
      .describe('only this version of onnxruntime-qnn (default: all that are of use here)')
      .meta({ value: 'version' }),
    timeout: timeout.default(480).describe('seconds that each download may take'),
  },
  notes:
    "Qualcomm's licence comes with the package and is unpacked beside the libraries. They go to a cache outside this" +
    '\nproject: $DLLM_NPU_CACHE, $XDG_CACHE_HOME/dllm-npu or ~/.cache/dllm-npu. What is there already is kept. Exits with 3' +
    '\nand the words of pip when a package cannot be had.',
  examples: ['device fetch', 'device fetch --package 2.7.0 --json'],
  async run(ctx, asked) {
    const wanted = wantedPackages(asked.package);
    const bar = progressBar(ctx, 'MB', { log: true });
    const { packages, refusals } = await fetchPackages(wanted, {
      cache: cacheDirectory(ctx.io.env),
      timeoutMs: asked.timeout * 1000,
      signal: ctx.signal,
      onStart: ({ version, purpose, megabytes }) =>
        ctx.note(`onnxruntime-qnn ${version}: ${megabytes} MB, for the ${purpose}`),
      onProgress: (done, total) => bar.update(Math.round(Math.min(done, total)), Math.round(total)),
    }).finally(() => bar.stop());
    ctx.data({ packages, refusals });
    for (const { version, purpose, state, QNN_EP_DIR, manifest } of packages) {
      ctx.print(
        `onnxruntime-qnn ${version}, ${state === 'present' ? 'there already' : 'fetched'}: ${purpose}`,
      );
      ctx.print(`  wheel sha256 ${manifest.wheel.sha256}`);
      ctx.print(`  export QNN_EP_DIR=${QNN_EP_DIR}`);
    }
    if (refusals.length > 0) throw new EnvironmentError(refusals.join('; '));
  },
});
