import { join } from 'node:path';
import { z } from 'zod';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { EXPLORER_TYPES, explorerFiles } from '../explorer-page.js';
import { path } from '../groups.js';
import { serveFiles } from '../serve-files.js';

export const command = defineCommand({
  options: {
    port: z.int().min(0).max(65_535).default(8642).describe('on this machine; 0 takes a free one'),
    out: path('write the page as a folder instead: open its index.html, or put it on any web server', 'dir'),
  },
  effects: [
    {
      options: ['port'],
      when: ({ out }) => out === undefined,
      because: '--out writes files and serves none',
    },
  ],
  notes:
    'A page in which tiny-llada decodes, by the same code as `generate`, while the machine times every step at the size' +
    '\nof a real model. Needs no network and sends nothing. Ctrl-C ends the server.',
  examples: ['explore', 'explore --port 0 --json', 'explore --out site'],
  async run(ctx, { port, out }) {
    checkWritableDirectory(out);
    const explorer = explorerFiles();
    if (out !== undefined) {
      const files = [...explorer].map(([name, content]) => {
        atomicWriteFile(join(out, name), content);
        return { name, bytes: content.length };
      });
      ctx.data({ folder: out, files });
      return ctx.print(`open ${join(out, 'index.html')}, or put ${out} on a web server`);
    }
    const { address, closed } = await serveFiles(explorer, EXPLORER_TYPES, port, ctx.signal);
    ctx.data({ address });
    ctx.print(`the explorer is at ${address} (Ctrl-C ends it)`);
    await closed;
  },
});
