import { z } from 'zod';
import { compileGraphs } from '../../../../hw/qnn/compile-graphs.js';
import { QairtSdk } from '../../../../hw/qnn/tools-sdk.js';
import { LocalRunner } from '../../../../hw/runner/local-runner.js';
import { defineCommand } from '../../../command.js';
import { timeout } from '../../../device-target.js';
import { path } from '../../../groups.js';
import { progressBar } from '../../../progress.js';

export const command = defineCommand({
  arguments: { dir: z.string().min(1).describe('folder with r32-c64.dlc and so on') },
  options: {
    config: path('settings of the HTP backend (SoC, architecture, TCM) as the SDK describes them'),
    timeout: timeout.default(1800).describe('longest time of one graph'),
  },
  notes: 'Runs on x86-64 Linux, also for a phone. QAIRT_ROOT names the SDK.',
  examples: ['device qnn compile graphs --config htp.json'],
  async run(ctx, asked) {
    const bar = progressBar(ctx, 'graphs');
    const made = await compileGraphs({
      sdk: QairtSdk.at(ctx.io.env.QAIRT_ROOT),
      runner: new LocalRunner(),
      graphs: asked.dir,
      timeoutMs: asked.timeout * 1000,
      signal: ctx.signal,
      configFile: asked.config,
      onProgress: (done, total) => bar.update(done, total),
    }).finally(() => bar.stop());
    ctx.data({ made });
    for (const path of made) ctx.print(path);
  },
});
