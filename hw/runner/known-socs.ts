/** A system on chip with an NPU that runs compiled graphs. */
export interface KnownSoc {
  /** Names that systems give it (`ro.soc.model`, device trees), the common one first. */
  readonly models: readonly string[];
  readonly name: string;
  /** Values of `/sys/devices/soc0/soc_id`; empty where none is known. */
  readonly socIds: readonly number[];
  /** What QNN takes as `soc_model`; null where none is known. */
  readonly qnnModel: number | null;
  readonly htpArch: string;
  /** Simulated profile of it. */
  readonly profile: string | null;
}

function soc(
  models: readonly string[],
  name: string,
  socIds: readonly number[],
  qnnModel: number | null,
  htpArch: string,
  profile: string | null = null,
): KnownSoc {
  return { models, name, socIds, qnnModel, htpArch, profile };
}

/**
 * Sources: `soc_model` and HTP architecture from ExecuTorch, backends/qualcomm/serialization/qc_schema.py, and for
 * SC8380XP and SC8480XP LiteRT's Qualcomm table; `soc_id` from Linux, include/dt-bindings/arm/qcom,ids.h. The two
 * numberings have nothing to do with each other: SM8850 is 660 for Linux and 87 for QNN.
 */
export const KNOWN_SOCS: readonly KnownSoc[] = [
  soc(['SM8350'], 'Snapdragon 888', [], 30, 'v68'),
  soc(['SM8450'], 'Snapdragon 8 Gen 1', [457, 482, 552], 36, 'v69'),
  soc(['SM8475'], 'Snapdragon 8+ Gen 1', [530, 531, 540], 42, 'v69'),
  soc(['SM8550'], 'Snapdragon 8 Gen 2', [519], 43, 'v73', 'sm8550'),
  soc(['SM8650'], 'Snapdragon 8 Gen 3', [557], 57, 'v75', 'sm8650'),
  soc(['SM8750'], 'Snapdragon 8 Elite', [618], 69, 'v79', 'sm8750'),
  soc(['SM8850'], 'Snapdragon 8 Elite Gen 5', [660], 87, 'v81', 'sm8850'),
  soc(['SC8380XP', 'X1E80100', 'X1P64100'], 'Snapdragon X Elite', [555], 60, 'v73', 'x-elite'),
  soc(['SC8480XP'], 'Snapdragon X2 Elite', [], 88, 'v81'),
];

/** By name, revisions such as `SM8750P` and `SM8650-AC` included, else by number. Null when it is not in the list. */
export function knownSoc(model: string | null, socId: string | null = null): KnownSoc | null {
  const asked = model?.trim().toUpperCase() ?? '';
  const byName = KNOWN_SOCS.find(({ models }) => models.some((name) => asked.startsWith(name)));
  const byId = KNOWN_SOCS.find(({ socIds }) => socId !== null && socIds.includes(Number(socId)));
  return byName ?? byId ?? null;
}
