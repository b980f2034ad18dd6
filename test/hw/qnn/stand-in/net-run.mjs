// Stands in for qnn-net-run in tests: same command line and files, the graph computed by ONNX Runtime. What it is given as a
// compiled graph is a text file with the path of the ONNX file.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FLAGS = [
  'backend',
  'model',
  'dlc_path',
  'retrieve_context',
  'input_list',
  'output_dir',
  'profiling_level',
  'use_native_input_files',
  'use_native_output_files',
  'config_file',
  'profiling_option',
  'log_level',
];
const args = process.argv.slice(2);
if (args.includes('--help')) {
  console.log(FLAGS.map((flag) => `  [ --${flag} ]`).join('\n'));
  process.exit(0);
}
const value = (flag) => args[args.indexOf(`--${flag}`) + 1];
if (!args.includes('--use_native_input_files') || !args.includes('--use_native_output_files')) {
  console.error('the stand-in reads tensors in their own types only');
  process.exit(1);
}
const fault = process.env.STAND_IN_FAULT;
if (fault === 'refuse') {
  console.error('[ ERROR ] Failed to create context from binary with err 0x138d');
  process.exit(14);
}
if (fault === 'crash') process.kill(process.pid, 'SIGSEGV');
// Not before it is needed: the tool is asked for its help before every run.
const { InferenceSession, Tensor } = await import('onnxruntime-node');
const graph = args.includes('--retrieve_context') ? value('retrieve_context') : value('dlc_path');
const session = await InferenceSession.create(readFileSync(graph, 'utf8').trim());
const types = new Map(session.inputMetadata.map(({ name, type, shape }) => [name, { type, shape }]));
const lines = readFileSync(value('input_list'), 'utf8').split('\n').filter(Boolean);
for (const [index, line] of lines.entries()) {
  const feeds = {};
  for (const pair of line.split(' ')) {
    const [name, path] = pair.split(':=');
    const { type, shape } = types.get(name);
    const bytes = readFileSync(path);
    const aligned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    feeds[name] = new Tensor(
      type,
      type === 'int32' ? new Int32Array(aligned) : new Float32Array(aligned),
      shape,
    );
  }
  const { logits } = await session.run(feeds);
  if (fault === 'wrong') logits.data.fill(0);
  const folder = join(value('output_dir'), `Result_${index}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'logits_native.raw'),
    new Uint8Array(logits.data.buffer, logits.data.byteOffset, logits.data.byteLength),
  );
}
if (args.includes('--profiling_level')) {
  writeFileSync(join(value('output_dir'), 'qnn-profiling-data_0.log'), String(lines.length));
}
