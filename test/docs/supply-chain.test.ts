import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly script: boolean;
  readonly resolved?: string;
  readonly allowed: boolean;
}

const { root } = project();
const { packagesOf } = (await import(join(root, 'tools/licenses.mjs'))) as {
  packagesOf: (path: string) => Package[];
};
const LOCKS = ['package-lock.json', 'tools/mutate/package-lock.json'];

describe.each(LOCKS)('%s', (lock) => {
  const packages = packagesOf(join(root, lock));

  it('names no address that packages come from: every registry serves it', () => {
    expect(packages.length).toBeGreaterThan(50);
    expect(packages.filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });

  it('has only packages whose licence was looked at', () => {
    expect(
      packages.filter(({ allowed }) => !allowed).map(({ name, license }) => `${name}: ${license}`),
    ).toEqual([]);
  });

  it('has two packages with install scripts, which nothing here runs', () => {
    const withScript = packages.filter(({ script }) => script).map(({ name }) => name);
    expect(withScript.filter((name) => !['koffi', 'onnxruntime-node'].includes(name))).toEqual([]);
    for (const file of ['.ci/run', 'tools/bootstrap.mjs', 'tools/mutate/run.mjs']) {
      expect(readFileSync(join(root, file), 'utf8'), file).toContain('--ignore-scripts');
    }
    // For who types npm ci.
    for (const file of ['.npmrc', 'tools/mutate/.npmrc']) {
      expect(readFileSync(join(root, file), 'utf8').split('\n'), file).toContain('ignore-scripts=true');
    }
  });

  it('has settings that npm knows: an unknown one is a warning at every command', () => {
    const { stderr } = spawnSync('npm', ['config', 'get', 'save-exact'], {
      cwd: dirname(join(root, lock)),
      encoding: 'utf8',
    });
    expect(stderr).not.toMatch(/unknown/i);
  });

  it('pins every package by its content', () => {
    const { packages: all } = JSON.parse(readFileSync(join(root, lock), 'utf8')) as {
      packages: Record<string, { integrity?: string; link?: boolean }>;
    };
    const without = Object.entries(all)
      .filter(
        ([at, { integrity, link }]) =>
          at.includes('node_modules/') && !link && !integrity?.startsWith('sha512-'),
      )
      .map(([at]) => at);
    expect(without).toEqual([]);
  });
});

describe('npm run sbom', () => {
  it('writes CycloneDX with every package of the lock file', () => {
    const { stdout, status } = spawnSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8' });
    expect(status).toBe(0);
    const bom = JSON.parse(stdout) as {
      bomFormat: string;
      components: { purl: string; licenses?: unknown }[];
    };
    expect(bom.bomFormat).toBe('CycloneDX');
    const named = new Set(bom.components.map(({ purl }) => decodeURIComponent(purl)));
    const missing = packagesOf(join(root, LOCKS[0])).filter(
      ({ name, version }) => !named.has(`pkg:npm/${name}@${version}`),
    );
    expect(missing).toEqual([]);
  });
});
