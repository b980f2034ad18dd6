// npm run licenses: every package of the lock file with its version, licence and use; fails for one that nobody has looked at.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Licences that may be used beside MIT, and in which use each was looked at. */
const ANY_USE = ['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'Unlicense', 'Python-2.0', 'BlueOak-1.0.0', 'OFL-1.1'];
/** Copyleft by file: used as they are, never changed. */
const UNCHANGED = ['MPL-2.0'];
/** Packages whose licence field is no identifier. */
const READ = {
  'caniuse-lite': 'CC-BY-4.0', // a table of browsers, read by a tool that is read by mutation testing
  'dejavu-fonts-ttf': 'SEE LICENSE IN README.md AND LICENSE', // Bitstream Vera: free to use, embed and pass on
  'png-js': 'none', // its field is missing; the LICENSE in it is MIT's
};

const permitted = (text) => [...ANY_USE, ...UNCHANGED].includes(text);

/** Whether an SPDX expression of the plain kinds that packages have leaves a choice that is permitted. */
function allowed(name, license) {
  if (READ[name] !== undefined) return READ[name] === license;
  const bare = license.replace(/^\((.*)\)$/, '$1');
  if (bare.includes(' AND ')) return bare.split(' AND ').every(permitted);
  return bare.split(' OR ').some(permitted);
}

/** @param path of the lock file. Packages in order, with their use: `runs` when installed for users, else `development`. */
export function packagesOf(path) {
  const { packages } = JSON.parse(readFileSync(path, 'utf8'));
  return Object.entries(packages)
    .filter(([at, { link }]) => at.includes('node_modules/') && !link)
    .map(([at, { version, license = 'none', dev = false, optional = false, hasInstallScript = false, resolved }]) => {
      const name = at.slice(at.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const use = dev ? 'development' : optional ? 'runs, optional' : 'runs';
      return { name, version, license, use, script: hasInstallScript, resolved, allowed: allowed(name, license) };
    });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = [join(root, 'package-lock.json'), join(root, 'tools/mutate/package-lock.json')].map(packagesOf);
  found[1].forEach((each) => {
    each.use = 'mutation testing';
  });
  const all = found.flat();
  for (const { name, version, license, use } of all) console.log([name, version, license, use].join('\t'));
  const refused = all.filter((each) => !each.allowed);
  for (const { name, license } of refused) console.error(`${name}: ${license} is not among the licences that were looked at (tools/licenses.mjs)`);
  process.exit(refused.length > 0 ? 1 : 0);
}
