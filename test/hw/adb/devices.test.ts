import { describe, expect, it } from 'vitest';
import { type AdbDevice, parseAdbDevices, selectDevice } from '../../../hw/runner/adb-devices.js';
import { AdbError, problemOf } from '../../../hw/runner/adb-error.js';

describe('adb devices', () => {
  it('are read in every state', () => {
    // origin: upstream-doc (developer.android.com/tools/adb, "Query for devices")
    const text =
      'List of devices attached\nemulator-5554 device product:sdk model:Nexus_5 transport_id:1\nR58M offline\n0a388e93 unauthorized usb:1-1\n1234567 no permissions (user in plugdev group; are your udev rules wrong?); see [http://developer.android.com/tools/device.html]\n\n';
    expect(parseAdbDevices(text)).toEqual({
      devices: [
        { serial: 'emulator-5554', state: 'device', model: 'Nexus_5' },
        { serial: 'R58M', state: 'offline', model: null },
        { serial: '0a388e93', state: 'unauthorized', model: null },
        { serial: '1234567', state: 'no permissions', model: null },
      ],
      unread: [],
    });
  });

  // origin: synthetic; forms of adb 30 to 36 as people report them
  const HEADING = 'List of devices attached';
  it.each([
    [
      'a second phone of one name on the network',
      `${HEADING}\nadb-R5CX-AbCdEf (2)._adb-tls-connect._tcp\tdevice product:x model:y device:z transport_id:9\n`,
      'adb-R5CX-AbCdEf (2)._adb-tls-connect._tcp',
      'device',
    ],
    ['lines that end as on Windows', `${HEADING}\r\nR5CX\tdevice\r\n\r\n`, 'R5CX', 'device'],
    [
      'a serial that holds the name of a state',
      `${HEADING}\nmy device device usb:1-2 transport_id:3\n`,
      'my device',
      'device',
    ],
    [
      'messages of the daemon',
      `* daemon not running; starting now at tcp:5037\n* daemon started successfully\n${HEADING}\nR5CX\tdevice\n`,
      'R5CX',
      'device',
    ],
    [
      'no permissions, the older way',
      `${HEADING}\n????????????\tno permissions (missing udev rules? user is in the plugdev group); see [http://x]\n`,
      '????????????',
      'no permissions',
    ],
    [
      'no permissions, with facts behind',
      `${HEADING}\nR5CX           no permissions; see [http://x] usb:1-2 transport_id:3\n`,
      'R5CX',
      'no permissions',
    ],
  ])('%s', (_, text, serial, state) => {
    const { devices, unread } = parseAdbDevices(text);
    expect(devices.map((device) => [device.serial, device.state])).toEqual([[serial, state]]);
    expect(unread).toEqual([]);
  });

  it('of no known form are told, never skipped', () => {
    const list = parseAdbDevices(`${HEADING}\nR5CX\thibernating usb:1-1\n`);
    expect(list).toEqual({ devices: [], unread: ['R5CX\thibernating usb:1-1'] });
    expect(() => selectDevice(list)).toThrow(/not understood: "R5CX\thibernating usb:1-1"/);
    const beside = { ...list, devices: [usable] };
    expect(() => selectDevice(beside)).toThrow(/2 phones are connected: .*hibernating.*--serial/);
    expect(selectDevice(beside, 'A')).toBe(usable);
  });

  const usable: AdbDevice = { serial: 'A', state: 'device', model: 'SM_S931B' };
  const listed = (...devices: AdbDevice[]) => ({ devices, unread: [] });
  const problemIn = (devices: AdbDevice[], serial?: string) => {
    try {
      return selectDevice(listed(...devices), serial).serial;
    } catch (error) {
      expect(error).toBeInstanceOf(AdbError);
      expect((error as AdbError).exitCode).toBe(3);
      expect((error as AdbError).message).not.toContain('\n');
      return (error as AdbError).problem;
    }
  };

  it('are never chosen from several', () => {
    const other: AdbDevice = { serial: 'B', state: 'offline', model: null };
    expect(problemIn([usable])).toBe('A');
    expect(problemIn([usable, other])).toBe('several-devices');
    expect(problemIn([usable, other], 'A')).toBe('A');
    expect(() => selectDevice(listed(usable, other))).toThrow(
      /A \(SM_S931B, device\), B \(offline\).*--serial/,
    );
    expect(problemIn([usable, other], 'C')).toBe('unknown-serial');
    expect(problemIn([])).toBe('no-device');
  });

  it.each([
    ['offline', 'offline'],
    ['unauthorized', 'unauthorized'],
    ['authorizing', 'unauthorized'],
    ['no permissions', 'no-permissions'],
    ['recovery', 'other-state'],
  ] as const)('%s is refused as %s', (state, problem) => {
    expect(problemIn([{ serial: 'A', state, model: null }])).toBe(problem);
  });

  it.each([
    // origin: upstream-source (AOSP packages/modules/adb/transport.cpp, client/adb_client.cpp, client/file_sync_client.cpp)
    ["error: device 'R58M' not found", 'disconnected'],
    ['error: no devices/emulators found', 'no-device'],
    ['error: more than one device/emulator', 'several-devices'],
    ['error: device offline', 'offline'],
    ['error: device unauthorized.', 'unauthorized'],
    ['error: device still authorizing', 'unauthorized'],
    ['error: insufficient permissions for device', 'no-permissions'],
    ['error: closed', 'disconnected'],
    ["adb: error: failed to copy 'a' to 'b': couldn't read from device", null],
    ["adb: error: failed to copy 'a' to 'b': remote write failed: No space left on device", 'disk-full'],
    ['* cannot start server on remote host\nerror: cannot connect to daemon at tcp:5037', 'no-server'],
    ['something new', null],
  ])('adb saying "%s" means %s', (text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });
});
