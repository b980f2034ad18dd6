import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { project } from '../../../src/util/project-root.js';

/** Build that the stand-in libraries say they are of, as Qualcomm's do. */
export const STAND_IN_BUILD = 'v2.51.0.260929181845';

/** A folder like Qualcomm's SDK, whose tools are stand-ins that compute with ONNX Runtime; its libraries are empty but for their build. */
export function standInSdk(root: string): string {
  const scripts = join(project().root, 'test', 'hw', 'qnn', 'stand-in');
  const file = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode);
  };
  const tool = (platform: string, name: string, script: string) =>
    file(
      `bin/${platform}/${name}`,
      `#!/bin/sh\nexec '${process.execPath}' '${join(scripts, script)}' "$@"\n`,
      0o755,
    );
  const host = 'x86_64-linux-clang';
  tool(host, 'qnn-net-run', 'net-run.mjs');
  tool(host, 'qnn-context-binary-utility', 'utility.mjs');
  tool(host, 'qnn-profile-viewer', 'viewer.mjs');
  tool('aarch64-android', 'qnn-net-run', 'net-run.mjs');
  file(
    `bin/${host}/qnn-context-binary-generator`,
    [
      '#!/bin/sh',
      '[ "$1" = --help ] && { echo "--backend --model --dlc_path --binary_file --output_dir --config_file"; exit; }',
      'while [ $# -gt 0 ]; do case $1 in --dlc_path) dlc=$2;; --binary_file) name=$2;; --output_dir) out=$2;; esac; shift 2; done',
      'grep -q reject "$dlc" && { echo "[ ERROR ] QNN_GRAPH_ERROR_UNSUPPORTED_FEATURE: Op Rope"; exit 3; }',
      'cp "$dlc" "$out/$name.bin"',
    ].join('\n'),
    0o755,
  );
  const library = `\0ELF ${STAND_IN_BUILD}\0`;
  for (const name of ['libQnnCpu.so', 'libQnnHtp.so', 'libQnnModelDlc.so'])
    file(`lib/${host}/${name}`, library);
  const phone = ['Htp', 'HtpPrepare', 'System', 'HtpNetRunExtensions', 'HtpV79Stub', 'ModelDlc'];
  for (const name of phone) file(`lib/aarch64-android/libQnn${name}.so`, library);
  file('lib/hexagon-v79/unsigned/libQnnHtpV79Skel.so', library);
  return root;
}
