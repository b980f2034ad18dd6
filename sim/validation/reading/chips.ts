import { profileNames } from '../../hardware/load-profile.js';
import type { PublishedRow } from '../published.js';
import { NotModelled } from './refusal.js';

/** Chips a row may be of, the one that is taken first. */
export interface ChipReading {
  readonly profiles: readonly string[];
  /** None of them is the chip that the row names. */
  readonly standIn: boolean;
  readonly note: string | null;
}

/** Profiles by how vendors, shops and papers call a chip. The first name that is shipped is taken; others stand in for it. */
const CHIPS: readonly (readonly [RegExp, ...string[]])[] = [
  [/sm8850|8 ?elite ?(gen ?5|2\b)/i, 'sm8850'],
  [/sm8845|(?<!s )8 ?gen ?5\b/i, 'sm8845', 'sm8850'],
  [/sm8750|8 ?elite(?! gen)|snapdragon elite/i, 'sm8750'],
  [/sm8735|8s ?gen ?4/i, 'sm8735', 'sm8650'],
  [/qcs9075|qcs9100|iq-?9\d*|sa8775p?/i, 'qcs9075', 'sm8650'],
  [/sm8650|8 ?gen ?3|qcs8650|cq8750/i, 'sm8650'],
  [/sm8635|8s ?gen ?3/i, 'sm8635', 'sm8650'],
  [/sm7675|7\+ ?gen ?3/i, 'sm7675', 'sm8635', 'sm8550'],
  [/qcs8550|qcm8550|cq?8550/i, 'qcs8550'],
  [/sm8550|8 ?gen ?2/i, 'sm8550'],
  [/sm7550|sm7635|7s? ?gen ?[34]|sm6650/i, 'sm7550', 'sm7675'],
  [/sm7475|7\+ ?gen ?2/i, 'sm7475', 'sm8475'],
  [/sm8475|8\+ ?gen ?1/i, 'sm8475', 'sm8550'],
  [/sm8450|8 ?gen ?1\b/i, 'sm8450', 'sm8475', 'sm8550'],
  [/sa8295p?|sa8255p?/i, 'sa8295p', 'sm8550'],
  [/qcs6490|sc7280|rubik|sm7325|778g/i, 'qcs6490'],
  [/sm8350|snapdragon 888|sd ?888/i, 'sm8350', 'sm8450'],
  [/xr2\+? ?gen ?2|sxr2230/i, 'xr2-gen2', 'sm8550'],
  [/x2e-?9|x2 ?elite extreme/i, 'x2-elite-extreme', 'x2-elite'],
  [/x2e|x2 ?elite/i, 'x2-elite', 'x-elite'],
  [/x1p|x ?plus|x1-26|snapdragon x\b(?! ?(elite|\d))/i, 'x1p', 'x-elite'],
  [/x1e|x ?elite|sc8380/i, 'x-elite'],
];

/** Devices by name, where a table gives no chip. */
const DEVICES: readonly (readonly [RegExp, string])[] = [
  [/galaxy s26|oneplus 15\b|xiaomi 17|redmi k90|iqoo 15|realme gt ?8|poco myron|magic ?8/i, 'sm8850'],
  [
    /galaxy s25|oneplus 13\b|oneplus ace ?5 pro|xiaomi 15|redmi k80 pro|iqoo 13|realme gt ?7 pro|rog phone 9|pjz110|fold ?7/i,
    'sm8750',
  ],
  [
    /galaxy s24|oneplus 12\b|oneplus ace ?5\b|oneplus 13r|xiaomi 14|redmi k70 pro|iqoo 12|realme gt ?5 pro|rog phone 8|magic ?6|red ?magic 9|fold ?6/i,
    'sm8650',
  ],
  [
    /galaxy s23|oneplus 11\b|oneplus ace ?3|oneplus 12r|xiaomi 13|redmi k60 pro|iqoo 11|rog phone 7|fold ?5|quest 3/i,
    'sm8550',
  ],
  [/galaxy s22|oneplus 10|xiaomi 12/i, 'sm8450'],
  [
    /xps 13 9345|surface (pro|laptop) (11|7)|yoga slim 7x|thinkpad t14s|galaxy book ?4 edge|vivobook s 15|snapdragon.*(laptop|crd)|copilot\+/i,
    'x-elite',
  ],
];

const GENERATIONS: Readonly<Record<string, readonly string[]>> = {
  v69: ['sm8475', 'sm8550'],
  v73: ['sm8550'],
  v75: ['sm8650'],
  v79: ['sm8750'],
  v81: ['sm8850'],
};

const OTHERS =
  /dimensity|mt6\d{3}|mediatek|exynos|tensor g|pixel|kirin|apple|\bm[1-5]\b( (pro|max|ultra))?$|a1[5-9] ?(pro|bionic)|rk3\d{3}|rockchip|ryzen|xdna|intel|core ultra|lunar lake|meteor lake|nvidia|jetson|rtx|a100|h100|raspberry|cortex/i;

/** Devices that are all Qualcomm's when an engine for Hexagon runs on them. */
const QUALCOMM =
  /hexagon|\bhtp|\bqnn\b|genie|snapdragon|adreno|fastrpc|hexkl|8 ?elite|gen ?[2-5]\b|ai[- ]hub/i;

/** A certain chip of Qualcomm's, by number or class: `Snapdragon 695`, `SM8250`, `8cx Gen 3`, `6 Gen 1`. */
const NAMED =
  /\b(sm|qcs|qcm|sa|sc|sd|msm|sdm)-?\d{3,}|\bsnapdragon\W*(\d{3}\b|[4-9]\w{0,2}\+? gen)|\b\d(c|cx)\b/i;

const UNSTATED = /^(|-|n\/[as]|unstated|unknown|not stated|unnamed|\?)$/i;

/** @throws NotModelled for a chip of another vendor, or one that nothing tells */
export function chipOf({ soc, device, npu_arch: arch, engine }: PublishedRow): ChipReading {
  const shipped = new Set(profileNames());
  const named = chipNamed(soc, shipped) ?? (UNSTATED.test(soc.trim()) ? chipNamed(device, shipped) : null);
  if (named !== null) return named;
  if (OTHERS.test(soc) || OTHERS.test(device)) {
    throw new NotModelled(`chip of another vendor: no profile for "${OTHERS.test(soc) ? soc : device}"`);
  }
  // Shops sell a phone's name with several chips: one that the row names is not taken for another.
  const unnamed =
    UNSTATED.test(soc.trim()) || /^(snapdragon|qualcomm|device|phone|android|soc)\W*$/i.test(soc.trim());
  const phone = DEVICES.find(([pattern]) => pattern.test(unnamed ? `${device} ${soc}` : soc))?.[1];
  if (phone !== undefined)
    return { profiles: [standIn(phone, shipped)], standIn: false, note: `chip by the device, "${device}"` };
  const said = [...new Set(arch.toLowerCase().match(/v\d+/g) ?? [])];
  const laptop = /laptop|notebook|\bpc\b|windows|wos|crd/i.test(`${device} ${soc}`);
  const generations = said.flatMap((name) =>
    laptop && name === 'v73' ? ['x-elite'] : (GENERATIONS[name] ?? []),
  );
  const profiles = generations.filter((name) => shipped.has(name));
  if (profiles.length > 0)
    return { profiles, standIn: false, note: `chip by its NPU generation, ${said.join(' or ')}` };
  if (
    !UNSTATED.test(soc.trim()) &&
    (NAMED.test(soc) || !/snapdragon|qualcomm|device|phone|sd ?8/i.test(soc))
  ) {
    throw new NotModelled(`no profile for SoC "${soc}"`);
  }
  if (!QUALCOMM.test(`${device} ${soc} ${engine}`))
    throw new NotModelled(`no profile for SoC "${soc}": nothing tells the chip`);
  return {
    profiles: ['sm8750', 'sm8650', 'sm8850'],
    standIn: false,
    note: 'chip not stated: SM8750 taken, its neighbours in the range',
  };
}

function chipNamed(text: string, shipped: ReadonlySet<string>): ChipReading | null {
  const found = CHIPS.find(([pattern]) => pattern.test(text));
  if (found === undefined) return null;
  const [, wanted, ...others] = found;
  const profile = [wanted, ...others].find((name) => shipped.has(name));
  if (profile === undefined) throw new NotModelled(`no profile for SoC "${text}"`);
  return {
    profiles: [profile],
    standIn: profile !== wanted,
    note: profile === wanted ? null : `no profile of ${wanted}: timed as ${profile}`,
  };
}

function standIn(profile: string, shipped: ReadonlySet<string>): string {
  if (shipped.has(profile)) return profile;
  return chipNamed(profile, shipped)?.profiles[0] ?? profile;
}
