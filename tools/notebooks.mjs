// Previews or builds notebooks/*.html with Observable's notebook-kit.
//   node tools/notebooks.mjs preview
//   node tools/notebooks.mjs build [folder]    default: results/notebooks
// Its own `notebooks` command cannot read results/, which lies beside the notebooks' folder; everything else is its doing.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { config, observable } from '@observablehq/notebook-kit/vite';
import { build, createServer } from 'vite';

const project = fileURLToPath(new URL('..', import.meta.url));
const root = join(project, 'notebooks');
// Without an icon of its own every page makes the browser ask for a favicon.ico that is not there.
const transformTemplate = (html) => html.replace('</head>', '<link rel="icon" href="data:,"></head>');
const shared = { ...config(), configFile: false, plugins: [observable({ transformTemplate })], root };

const [command, folder = 'results/notebooks', ...rest] = process.argv.slice(2);
if (command === 'preview' && process.argv.length === 3) {
  const server = await createServer({ ...shared, base: '/', server: { fs: { allow: [project] } } });
  await server.listen();
  for (const page of pages()) console.log(new URL(page, server.resolvedUrls.local[0]).href);
  server.bindCLIShortcuts({ print: true });
} else if (command === 'build' && rest.length === 0) {
  await build({
    ...shared,
    logLevel: 'warn',
    build: {
      outDir: resolve(project, folder),
      emptyOutDir: true,
      // A notebook's JSON stays a file that a reader can open, however small.
      assetsInlineLimit: 0,
      // vega is most of it.
      chunkSizeWarningLimit: 2000,
      rolldownOptions: { input: pages().map((page) => join(root, page)) },
    },
  });
  console.log(`${pages().length} notebooks in ${resolve(project, folder)}`);
} else {
  console.error('usage: node tools/notebooks.mjs preview | build [folder]');
  process.exitCode = 2;
}

function pages() {
  return readdirSync(root).filter((name) => name.endsWith('.html'));
}
