import { basename } from 'node:path';
import { fileSha256, loadModel } from '../../../src/model/load.js';
import { contentHash } from '../canonical.js';
import { parseDecider } from './name.js';

const hashes = new Map<string, Promise<Readonly<Record<string, string>>>>();

/**
 * SHA-256 of the files a decider is made of, by what they are; each file is read once per process.
 * @throws UsageError for an unknown decider
 */
export function deciderInputs(name: string): Promise<Readonly<Record<string, string>>> {
  let found = hashes.get(name);
  if (found === undefined) {
    found = hashFiles(name);
    hashes.set(name, found);
  }
  return found;
}

async function hashFiles(name: string): Promise<Record<string, string>> {
  const parsed = parseDecider(name);
  if (parsed.kind === 'trace') {
    const { traceFiles } = await import('./trace.js');
    const files = traceFiles(parsed.path).map(
      async (path) => [`trace ${path}`, await fileSha256(path)] as const,
    );
    return Object.fromEntries(await Promise.all(files));
  }
  if (parsed.kind === 'synthetic') {
    const { processByName } = await import('./synthetic/profiles.js');
    return { 'confidence process': await fileSha256(processByName(parsed.profile).path) };
  }
  return modelInputs(parsed.model);
}

/** All that a model is: the file that names its weights, the files that hold them, its configuration and its tokenizer. */
async function modelInputs(name: string): Promise<Record<string, string>> {
  const { config, weights, weightsPath, text } = await loadModel(name);
  await weights.close();
  const { tokenizer, settings, templates } = text;
  const inputs = {
    [`model ${name}`]: await fileSha256(weightsPath),
    [`configuration of ${name}`]: contentHash(config),
    [`tokenizer of ${name}`]: contentHash({ tokenizer, settings, templates: [...templates] }),
  };
  for (const file of weights.files ?? []) {
    if (file !== weightsPath) inputs[`model ${name}: ${basename(file)}`] = await fileSha256(file);
  }
  return inputs;
}
