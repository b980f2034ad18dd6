import { existsSync, readFileSync } from 'node:fs';

const SOC_ID_FILE = '/sys/devices/soc0/soc_id';

/** SoC of this machine as Linux on Snapdragon, or Windows on Snapdragon, tells it; null elsewhere. */
export function localSocId(env: Readonly<Record<string, string | undefined>> = process.env): string | null {
  if (existsSync(SOC_ID_FILE)) return readFileSync(SOC_ID_FILE, 'utf8').trim() || null;
  const processor = env.PROCESSOR_IDENTIFIER;
  return processor !== undefined && /qualcomm/i.test(processor) ? processor : null;
}
