// Stands in for qnn-context-binary-utility: describes the ONNX file that a stand-in context names.
import { readFileSync, writeFileSync } from 'node:fs';
import { InferenceSession } from 'onnxruntime-node';

const args = process.argv.slice(2);
const value = (flag) => args[args.indexOf(flag) + 1];
const session = await InferenceSession.create(readFileSync(value('--context_binary'), 'utf8').trim());
const tensor = ({ name, type, shape }) => ({
  info: {
    name,
    dataType: type === 'int32' ? 'QNN_DATATYPE_INT_32' : 'QNN_DATATYPE_FLOAT_32',
    dimensions: shape,
  },
});
const info = {
  graphName: 'step',
  graphInputs: session.inputMetadata.map(tensor),
  graphOutputs: session.outputMetadata.map(tensor),
};
const buildId = process.env.STAND_IN_BUILD ?? 'v2.51.0.260929181845';
writeFileSync(value('--json_file'), JSON.stringify({ info: { buildId, graphs: [{ info }] } }));
