import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { project } from '../../src/util/project-root.js';
import { builtExplorer, builtProgram, DONE, TSC } from '../support/built-program.js';
import { type Answered, commandLines } from '../support/command-lines.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const { root } = project();

function must(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** The tarball that `npm pack` makes of a fresh build. */
export interface Tarball {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Paths inside the package. */
  readonly files: readonly string[];
}

/** Folders that may hold something that the package ships. */
const SHIPPED = ['cli', 'docs', 'experiments', 'hw', 'models', 'sim', 'src'];

/** Packs a copy of the project with a fresh build. */
export async function pack(): Promise<Tarball> {
  const stage = temporaryDirectory();
  for (const name of [...SHIPPED, 'package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'])
    cpSync(join(root, name), join(stage, name), { recursive: true });
  const dist = join(stage, 'dist');
  cpSync(await builtProgram(), dist, { recursive: true, filter: (path) => basename(path) !== DONE });
  cpSync(await builtExplorer(), join(dist, 'explorer'), { recursive: true });
  declarations(dist);
  const [packed] = JSON.parse(must('npm', ['pack', '--json', '--ignore-scripts', '--offline'], stage)) as [
    { filename: string; size: number; files: { path: string }[] },
  ];
  return {
    path: join(stage, packed.filename),
    size: packed.size,
    files: packed.files.map(({ path }) => path).sort(),
  };
}

/** Puts the declarations of now beside the program: those of dist/, where a build has only to see that they are. */
function declarations(dist: string): void {
  must(process.execPath, [TSC, '-p', join(root, 'tsconfig.build.json'), '--noCheck'], root);
  for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const named = path.replace(/\.js$/, '.d.ts');
    if (named !== path && existsSync(join(root, 'dist', named)) && !path.startsWith('explorer'))
      copyFileSync(join(root, 'dist', named), join(dist, named));
  }
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** Top-level packages that a user gets with ours: those of the lock file that are not for development only. */
function dependencies(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  return Object.entries(packages).flatMap(([path, { dev }]) => {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    return name === undefined || dev === true ? [] : [name];
  });
}

/** An empty project with the tarball installed, without a network: what it depends on is linked from here. */
export class Consumer {
  readonly folder = temporaryDirectory();
  /** Where the package lies. */
  readonly installed = join(this.folder, 'node_modules', 'dllm-npu');

  constructor(tarball: Tarball) {
    mkdirSync(this.installed, { recursive: true });
    must('tar', ['-xzf', tarball.path, '--strip-components=1', '-C', this.installed], this.folder);
    for (const name of dependencies()) {
      const from = join(root, 'node_modules', name);
      const to = join(this.folder, 'node_modules', name);
      mkdirSync(dirname(to), { recursive: true });
      symlinkSync(from, to);
    }
    this.write('package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Runs Node in the project's folder. */
  node(...args: readonly string[]) {
    const env = { ...process.env, DLLM_NPU_CACHE: join(this.folder, '.cache') };
    return spawnSync(process.execPath, args, { cwd: this.folder, encoding: 'utf8', env });
  }

  /** The installed program. */
  program(...args: readonly string[]) {
    return this.node(join(this.installed, 'dist', 'cli', 'main.js'), ...args);
  }

  /** Command lines of the installed program, one after the other in one process. */
  inOneProcess(commands: readonly (readonly string[])[]): Answered[] {
    this.write('commands.mjs', commandLines(join(this.installed, 'dist/cli/run.js'), commands));
    const { stdout, stderr } = this.node('commands.mjs');
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** What the compiler says about the files of the project; empty when nothing. */
  typeErrors(compilerOptions: Readonly<Record<string, unknown>>): string {
    this.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    return this.node(TSC, '-p', '.', '--noEmit').stdout;
  }

  /** Every file of the installed package with the time of its last change. */
  state(): Readonly<Record<string, number>> {
    const names = readdirSync(this.installed, { recursive: true, encoding: 'utf8' });
    return Object.fromEntries(names.map((name) => [name, statSync(join(this.installed, name)).mtimeMs]));
  }
}
