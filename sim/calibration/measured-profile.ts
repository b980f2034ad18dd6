import { parseProfile } from '../hardware/load-profile.js';
import { baseText } from '../hardware/quantity.js';
import type { HardwareProfile } from '../hardware/schema.js';
import { STREAM_RATES } from '../machine/rates.js';
import type { FittedNumber } from './calibrate.js';

export interface MeasuredFrom {
  /** Text of the profile that the other numbers are from. */
  readonly baseText: string;
  readonly base: HardwareProfile;
  readonly name: string;
  readonly description: string;
  /** What every measured number names as its source. */
  readonly source: string;
  /** What else a note says, e.g. the stack and the residuals. */
  readonly note: (number: FittedNumber) => string;
}

/** Standard errors on either side of a measured number that its range spans. */
const RANGE_ERRORS = 2;
const SMALLEST_RANGE = 0.001;
const DIGITS = 4;

/**
 * The text of a profile: numbers that were determined as `measured`, all others as they are in the base, kind and source
 * included; a kept rate beside the matrix unit is at most the measured one without. It is checked as any profile file is.
 * @throws DataError when the numbers contradict each other (e.g. DMA is faster beside the matrix unit than alone)
 */
export function measuredProfile(numbers: readonly FittedNumber[], from: MeasuredFrom): string {
  const profile = JSON.parse(from.baseText) as Record<string, Record<string, unknown>>;
  const changed: Record<string, unknown> = { ...profile, name: from.name, description: from.description };
  for (const number of numbers) {
    const [section = '', field = ''] = number.path.split('.');
    const { dimension } = from.base.provenance[number.path]!;
    const text = (value: number): string => baseText(Number(value.toPrecision(DIGITS)), dimension);
    const spread = Math.max(SMALLEST_RANGE, RANGE_ERRORS * number.error);
    changed[section] = {
      ...(changed[section] as object),
      [field]: {
        value: text(number.value),
        kind: 'measured',
        source: from.source,
        range: [text(number.value * Math.max(0, 1 - spread)), text(number.value * (1 + spread))],
        note: from.note(number),
      },
    };
  }
  const measured = new Map(numbers.map(({ path, value }) => [path, value]));
  for (const [alone, besideMatrix] of Object.values(STREAM_RATES)) {
    const limit = measured.get(`npu.${alone}`);
    const kept = from.base.npu[besideMatrix];
    if (limit === undefined || measured.has(`npu.${besideMatrix}`) || kept <= limit) continue;
    const text = baseText(Number(limit.toPrecision(DIGITS)), 'rate');
    const note = `${kept} GB/s in the base, which is more than the rate with an idle matrix unit`;
    changed.npu = {
      ...(changed.npu as object),
      [besideMatrix]: { value: text, kind: 'derived', source: from.source, note },
    };
  }
  const written = `${JSON.stringify(changed, null, 2)}\n`;
  parseProfile(written, from.name);
  return written;
}
