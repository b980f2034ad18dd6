import { type DeviceAnswer, type DeviceTask, DeviceWork } from './device-work.js';

const work = new DeviceWork();

/** Entry of the process that a device is measured in: the engine stays open between its tasks. */
export default function run(task: DeviceTask): Promise<DeviceAnswer> {
  return work.run(task);
}
