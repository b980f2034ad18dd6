// npm run explorer:build [-- DIR]: the explorer as a static folder (default: dist/explorer). It needs no server and no network.
// With --if-changed, for `explore`: without the packed files, and nothing where the code is as it was.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const here = (path) => join(root, 'explorer', path);

/** What stands for Node's own modules, and for packages that only run there. */
const NODE = {
  'node:fs': here('node/fs.ts'),
  'node:fs/promises': here('node/fs.ts'),
  'node:crypto': here('node/crypto.ts'),
  'node:path': 'pathe',
  'node:url': here('node/url.ts'),
  'node:timers/promises': here('node/timers.ts'),
  'node:vm': here('node/vm.ts'),
};
const ABSENT = ['node:module', 'node:os', 'node:util', 'node:zlib', 'node:child_process'];
/** Engines of other runtimes: the page never opens them. */
const NATIVE = ['src/engine/ort/engine.ts', 'src/engine/ggml/engine.ts', 'src/engine/tfjs/node-backend.ts'];

/** @param texts virtual modules by name, each a text */
function browser(texts) {
  return {
    name: 'explorer',
    enforce: 'pre',
    async resolveId(id, importer) {
      if (id in texts) return `\0${id}`;
      if (id in NODE) return this.resolve(NODE[id], importer, { skipSelf: true });
      if (ABSENT.includes(id)) return here('node/absent.ts');
      if (!id.startsWith('.')) return null;
      const found = await this.resolve(id, importer, { skipSelf: true });
      const path = found?.id.replaceAll('\\', '/') ?? '';
      if (path.endsWith('/src/engine/tfjs/wasm-place.ts')) return here('node/wasm-place.ts');
      if (NATIVE.some((name) => path.endsWith(`/${name}`))) return here('node/native.ts');
      return found;
    },
    load: (id) => (id.startsWith('\0') && id.slice(1) in texts ? `export default ${JSON.stringify(texts[id.slice(1)])};` : null),
  };
}

async function script(entry, texts, minify = true) {
  const { build } = await import('vite');
  const result = await build({
    configFile: false,
    root,
    logLevel: 'error',
    publicDir: false,
    plugins: [browser(texts)],
    define: { 'process.env.NODE_ENV': '"production"' },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      write: false,
      minify,
      target: 'es2022',
      lib: { entry: here(entry), formats: ['iife'], name: 'explorer' },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const [{ output }] = [result].flat();
  return output[0].code;
}

/** SHA-256 over the code that the folder is made of. */
export function sourceHash() {
  const hash = createHash('sha256');
  const folders = ['explorer', 'src', 'sim', 'experiments', 'tools/explorer'];
  const code = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => /\.(ts|tsx|css|html|mjs)$/.test(name))
      .map((name) => `${folder}/${name}`.replaceAll('\\', '/')),
  );
  for (const path of [...code, 'package-lock.json'].sort())
    hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  return hash.digest('hex');
}

/** Writes the folder, but for the packed files (cli/explorer-files.ts). @returns sizes in bytes by file */
export async function buildExplorer(out) {
  const simd = join(root, 'node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm');
  const worker = await script('worker/main.ts', { 'virtual:wasm': readFileSync(simd, 'base64') });
  const page = await script('page/main.tsx', { 'virtual:worker': worker });
  const files = {
    'explorer.js': page,
    'style.css': readFileSync(here('page/style.css'), 'utf8'),
    'index.html': readFileSync(here('page/index.html'), 'utf8'),
    'build.json': `${JSON.stringify({ source: sourceHash() })}\n`,
  };
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(out, name), text);
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.byteLength(text)]));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = process.argv.slice(2).find((arg) => !arg.startsWith('--'));
  const out = folder ?? join(root, 'dist', 'explorer');
  const made = join(out, 'build.json');
  const ifChanged = process.argv.includes('--if-changed');
  if (ifChanged && existsSync(made)) {
    if (JSON.parse(readFileSync(made, 'utf8')).source === sourceHash()) process.exit(0);
  }
  const sizes = await buildExplorer(out);
  // `explore` makes the packed files itself.
  if (ifChanged) process.exit(0);
  // Compiled before: npm run explorer:build begins with the compiler.
  const { PACKED, packedScript } = await import('../../dist/cli/explorer-files.js');
  const packed = packedScript();
  writeFileSync(join(out, PACKED), packed);
  sizes[PACKED] = packed.length;
  const total = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
  console.error(`${out}: ${(total / 1e6).toFixed(1)} MB, open index.html`);
}
