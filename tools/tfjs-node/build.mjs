// Builds the native library of @tensorflow/tfjs-node where its prebuilt one cannot be downloaded, so that the backend
// `node` of the engine tfjs can be used and tested:
//
//   node tools/tfjs-node/build.mjs            prints the directory for DLLM_NPU_TFJS_NODE
//   DLLM_NPU_TFJS_NODE=DIR npm test -- test/engine/tfjs-node.test.ts
//
// The package's own C++ binding is compiled against Node's headers and TensorFlow's C API; headers and library come
// from the Python wheel of TensorFlow. Everything lies in the user's cache directory; nothing is added to this project.
// Needs npm, g++, and python3 with pip (Linux x64; about 1 GB of disk).
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const TFJS_NODE = '4.22.0';
// Any TensorFlow 2 has the C API that the binding calls; this wheel exists for Python 3.9 to 3.11 and is CPU only.
const TENSORFLOW = 'tensorflow-cpu==2.15.1';
const PYTHON = '3.11';

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dllm-npu');
const home = join(cache, `tfjs-node-${TFJS_NODE}-${TENSORFLOW.replace('==', '-')}-node-${process.versions.modules}`);
const packageOf = (root) => join(root, 'node_modules', '@tensorflow', 'tfjs-node');

if (!existsSync(home)) {
  if (process.platform !== 'linux' || process.arch !== 'x64') fail('only Linux on x64 is supported');
  const work = `${home}.partial`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  build(work);
  // The last step: a directory of the final name is whole.
  renameSync(work, home);
}
linkCore(home);
console.log(packageOf(home));

function build(root) {
  writeFileSync(join(root, 'package.json'), '{ "private": true }');
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `@tensorflow/tfjs-node@${TFJS_NODE}`], root);
  const wheel = ['--only-binary=:all:', '--no-deps', '--python-version', PYTHON, '--platform', 'manylinux2014_x86_64'];
  run('python3', ['-m', 'pip', 'download', '--quiet', ...wheel, '-d', '.', TENSORFLOW], root);
  const file = readdirSync(root).find((name) => name.endsWith('.whl'));
  if (file === undefined) fail(`pip brought no wheel of ${TENSORFLOW}`);
  const headers = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/'].map((name) => `tensorflow/include/${name}`);
  const wanted = JSON.stringify([...headers, 'tensorflow/libtensorflow']);
  const unpack = `import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
z.extractall('wheel', [n for n in z.namelist() if n.startswith(tuple(${wanted}))])`;
  run('python3', ['-c', unpack, file], root);
  rmSync(join(root, file));

  const target = packageOf(root);
  const tensorflow = join(root, 'wheel', 'tensorflow');
  const libraries = readdirSync(tensorflow).filter((name) => name.startsWith('libtensorflow'));
  mkdirSync(join(target, 'deps', 'lib'), { recursive: true });
  for (const name of libraries) renameSync(join(tensorflow, name), join(target, 'deps', 'lib', name));
  // Where the package looks for the binding depends on Node's N-API version; its own resolver says.
  const resolve = createRequire(join(target, 'package.json'));
  const binding = resolve('@mapbox/node-pre-gyp').find(join(target, 'package.json'));
  mkdirSync(dirname(binding), { recursive: true });
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(target, 'binding', name));
  const napi = /napi-v(\d+)/.exec(binding)?.[1] ?? '8';
  run(
    'g++',
    [
      '-std=c++17', '-O2', '-fPIC', '-shared', '-w', `-DNAPI_VERSION=${napi}`, '-DBUILDING_NODE_EXTENSION',
      '-I', join(tensorflow, 'include'), '-I', nodeHeaders(), ...sources, '-o', binding,
      '-L', join(target, 'deps', 'lib'), ...libraries.map((name) => `-l:${name}`),
      '-Wl,-rpath,$ORIGIN/../../deps/lib',
    ],
    root,
  );
  rmSync(join(root, 'wheel'), { recursive: true });
}

/** A backend registers with the tfjs-core it finds: it must find the one of this project. */
function linkCore(root) {
  const core = join(root, 'node_modules', '@tensorflow', 'tfjs-core');
  const own = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/package.json'));
  rmSync(core, { recursive: true, force: true });
  symlinkSync(own, core, 'dir');
}

/** Headers come with Node: beside its executable, or with the distribution's package. */
function nodeHeaders() {
  const places = [join(dirname(process.execPath), '..', 'include', 'node'), '/usr/include/node'];
  return places.find((place) => existsSync(join(place, 'node_api.h'))) ?? fail(`no node_api.h in ${places.join(' or ')}`);
}

function run(command, args, cwd) {
  console.error(`${[command, ...args].join(' ').split('\n')[0]?.slice(0, 90)} ...`);
  try {
    execFileSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  } catch (error) {
    fail(`${command} failed: ${error.message.split('\n')[0]}`);
  }
}

function fail(message) {
  console.error(`tfjs-node was not built: ${message}`);
  process.exit(3);
}
