// Previews or builds notebooks/*.html with Observable's notebook-kit.
//   node tools/notebooks.mjs preview
//   node tools/notebooks.mjs build [folder]    default: results/notebooks
// Its own `notebooks` command cannot read results/, which lies beside the notebooks' folder; everything else is its doing.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { config, observable } from '@observablehq/notebook-kit/vite';
import { build, createServer } from 'vite';

const project = fileURLToPath(new URL('..', import.meta.url));
const root = join(project, 'notebooks');
// Without an icon of its own every page makes the browser ask for a favicon.ico that is not there.
const transformTemplate = (html) => html.replace('</head>', '<link rel="icon" href="data:,"></head>');
const shared = { ...config(), configFile: false, plugins: [observable({ transformTemplate })], root };

/**
 * What notebook-kit would fetch from a public host when a notebook asks for it (diagrams, formulas, inputs of its own). Ours do
 * not, and in one file a static import would be asked for at once.
 */
const nothingFromOutside = {
  name: 'nothing-from-outside',
  enforce: 'pre',
  resolveId: (id) => (/^https?:/.test(id) ? '\0outside' : null),
  load: (id) => (id === '\0outside' ? 'export default undefined;' : null),
};

const [command, folder = 'results/notebooks', ...rest] = process.argv.slice(2);
if (command === 'preview' && process.argv.length === 3) {
  const server = await createServer({ ...shared, base: '/', server: { fs: { allow: [project] } } });
  await server.listen();
  for (const page of pages()) console.log(new URL(page, server.resolvedUrls.local[0]).href);
  server.bindCLIShortcuts({ print: true });
} else if (command === 'build' && rest.length === 0) {
  const out = resolve(project, folder);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const page of pages()) writeFileSync(join(out, page), await wholePage(page));
  console.log(`${pages().length} notebooks in ${out}: open index.html`);
} else {
  console.error('usage: node tools/notebooks.mjs preview | build [folder]');
  process.exitCode = 2;
}

/** A page with its code, styles and data in it: browsers load no modules from a disk. */
async function wholePage(page) {
  const { output } = await build({
    ...shared,
    plugins: [nothingFromOutside, ...shared.plugins],
    logLevel: 'error',
    build: {
      write: false,
      assetsInlineLimit: Number.POSITIVE_INFINITY,
      cssCodeSplit: false,
      modulePreload: false,
      // vega is most of it.
      chunkSizeWarningLimit: 3000,
      rolldownOptions: { input: join(root, page), shimMissingExports: true, output: { codeSplitting: false } },
    },
  });
  const named = (end) => output.filter(({ fileName }) => fileName.endsWith(end));
  const [html] = named('.html');
  const code = named('.js').map((chunk) => chunk.code).join('\n').replaceAll('</script', '<\\/script');
  const style = named('.css')
    .map(({ source }) => String(source).replace(/@import "https?:[^"]*";/g, ''))
    .join('\n');
  return String(html.source)
    .replace(/<script type="module"[^>]*src=[^>]*><\/script>/g, '')
    .replace(/<link rel="(stylesheet|modulepreload)"[^>]*href="[^"]*assets[^>]*>/g, '')
    .replace('</head>', () => `<style>${style}</style></head>`)
    .replace('</body>', () => `<script type="module">${code}</script></body>`);
}

function pages() {
  return readdirSync(root).filter((name) => name.endsWith('.html'));
}
