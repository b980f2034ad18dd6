import { execFileSync } from 'node:child_process';
import { project } from '../src/util/project-root.js';

/** Commit of the checkout the program runs from, `-dirty` if files differ; undefined outside a repository. */
export function gitCommit(): string | undefined {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: project().root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    // An installed package may lie inside somebody else's repository.
    if (git('rev-parse', '--show-prefix') !== '') return undefined;
    const commit = git('rev-parse', 'HEAD');
    return git('status', '--porcelain') === '' ? commit : `${commit}-dirty`;
  } catch {
    return undefined;
  }
}
