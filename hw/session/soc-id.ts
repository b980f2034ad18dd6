import { existsSync, readFileSync } from 'node:fs';

const SOC_ID_FILE = '/sys/devices/soc0/soc_id';

/** SoC id of this machine as Linux on Snapdragon tells it; null elsewhere. */
export function localSocId(): string | null {
  return existsSync(SOC_ID_FILE) ? readFileSync(SOC_ID_FILE, 'utf8').trim() : null;
}
