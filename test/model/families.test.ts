import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARCHITECTURES, FAMILIES, familyOf } from '../../src/model/families/index.js';
import { configFromGguf, configToGguf } from '../../src/model/formats/gguf-config.js';
import { configToHf, parseHfConfig, recogniseHfConfig } from '../../src/model/formats/hf-config.js';
import { hfNameOf, placeOfHfName, storedTogether } from '../../src/model/formats/hf-names.js';
import { presetNames, resolvePreset } from '../../src/model/presets.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { arbitraryConfig } from '../support/arbitrary-config.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = join('src', 'model', 'families');
const INTERFACE_AND_LIST = ['family.ts', 'index.ts'];
const files = readdirSync(join(root, folder)).filter(
  (file) => file.endsWith('.ts') && !INTERFACE_AND_LIST.includes(file),
);

const POLICIES_TOO = ['src/decode', 'experiments', 'cli'];
const TOPS = ['src/model', 'src/onnx', 'src/engine', 'src/train', 'sim', 'hw', ...POLICIES_TOO];

describe('a family is one file', () => {
  it('that the list names', () => {
    expect(files.sort()).toEqual(ARCHITECTURES.map((name) => `${name}.ts`).sort());
  });

  it('with a published model in shapes.json', () => {
    for (const { name, published } of FAMILIES) expect(resolvePreset(published).arch).toBe(name);
    expect(presetNames().length).toBeGreaterThan(50);
  });

  it('and its name stands in no other code', () => {
    // Decoding policies bear the names of families too: there only what is called an architecture counts.
    const said = (top: string, name: string) =>
      POLICIES_TOO.includes(top) ? new RegExp(`arch\\w*(:| [=!]==) '${name}'`) : new RegExp(`'${name}'`);
    const elsewhere = TOPS.flatMap((top) =>
      readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .flatMap((file) =>
          ARCHITECTURES.filter((name) => said(top, name).test(readFileSync(join(root, top, file), 'utf8')))
            // A family's own keys may have such a value; what families share may not.
            .filter(() => dirname(join(top, file)) !== folder)
            .map((name) => `${join(top, file)}: '${name}'`),
        ),
    );
    expect(elsewhere).toEqual([]);
  });
});

describe.each(ARCHITECTURES)('%s', (arch) => {
  const configs = arbitraryConfig(arch);

  it.runIf(familyOf(arch).gguf)('config -> GGUF -> config is the identity', () => {
    fc.assert(
      fc.property(configs, (config) => {
        const tensors = new Map([...weightShapes(config)].map(([id, shape]) => [id, { shape }]));
        const metadata = configToGguf(config, 'f32');
        expect(configFromGguf(metadata, tensors, 'm.gguf')).toEqual(config);
      }),
    );
  });

  it('config -> folder -> config is the identity', () => {
    fc.assert(
      fc.property(configs, (config) => {
        const ids = weightShapes(config);
        const json: unknown = JSON.parse(JSON.stringify(configToHf(config)));
        expect(
          parseHfConfig(recogniseHfConfig(json, 'config.json'), config.name, (id) => ids.has(id)),
        ).toEqual(config);
      }),
    );
  });

  it('every weight has a name in a folder, and the name its place', () => {
    fc.assert(
      fc.property(configs, (config) => {
        for (const id of weightShapes(config).keys()) {
          const expert = id.includes('_exps') ? 2 : undefined;
          const name = hfNameOf(arch, id, expert);
          const [first] = storedTogether(arch, id);
          expect(name && placeOfHfName(arch, name)).toEqual({ id: first, expert });
        }
      }),
    );
  });

  it('frames a turn', () => {
    expect(familyOf(arch).text.chat('why?')).toContain('why?');
  });
});
