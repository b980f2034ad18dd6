import { basename } from 'node:path';
import { readDeviceRecord } from '../../hw/record/device-record.js';
import { profileText } from '../../sim/hardware/load-profile.js';
import { stackByName } from '../../sim/stacks/registry.js';
import { UsageError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import { fileSha256, loadModel } from '../../src/model/load.js';
import type { Quant } from '../../src/model/precision.js';
import { isPresetName, resolvePreset } from '../../src/model/presets.js';
import { type CalibratedProfile, calibrateRecord } from './calibrate-record.js';

export interface CalibrationFiles {
  /** Paths of device records of one device. */
  readonly records: readonly string[];
  /** Weight format that ran: one for all records, or one each. */
  readonly quant: readonly Quant[];
  /** Profile by name or path. */
  readonly base: string;
  readonly stack: string;
  /** Model whose shapes ran; the one that a record names by default. */
  readonly model?: string;
  /** Of the new profile. */
  readonly name?: string;
}

/**
 * A hardware profile from files of device records.
 * @throws UsageError for formats that do not fit the records, and as `calibrateRecord`
 */
export async function calibrateFiles(asked: CalibrationFiles): Promise<CalibratedProfile> {
  const { records: paths, quant, base } = asked;
  if (quant.length !== 1 && quant.length !== paths.length) {
    throw new UsageError(
      `--quant names ${quant.length} formats for ${paths.length} records: one for all, or one each`,
    );
  }
  const inputs = await Promise.all(
    paths.map(async (path, at) => ({
      record: readDeviceRecord(path),
      name: basename(path),
      sha256: await fileSha256(path),
      quant: quant[at] ?? quant[0],
    })),
  );
  // A record of compiled graphs names operators and needs the model's shapes; others name the shapes.
  const compiled = inputs.find(({ record }) => record.runs.some(({ bucket }) => bucket !== undefined));
  return calibrateRecord({
    inputs,
    config: compiled === undefined ? null : await modelShapes(asked.model ?? compiled.record.model.name),
    stack: stackByName(asked.stack),
    baseText: profileText(base),
    name: asked.name ?? `${basename(base, '.json')}-measured`,
  });
}

/** Shapes of a published model, or of a model file. */
async function modelShapes(name: string): Promise<ModelConfig> {
  if (isPresetName(name)) return resolvePreset(name);
  const { config, weights } = await loadModel(name);
  await weights.close();
  return config;
}
