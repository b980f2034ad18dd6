import { readTrace, type Trace } from '../../src/decode/trace/trace.js';
import { UsageError } from '../../src/errors.js';
import { fileSha256, type LoadedModel, loadModel } from '../../src/model/load.js';

/**
 * A trace and the model it is of. The caller closes `model.weights`.
 * @throws UsageError when the model has other weights than the trace was recorded with
 */
export async function openTrace(
  path: string,
  modelName: string,
): Promise<{ readonly trace: Trace; readonly model: LoadedModel }> {
  const trace = readTrace(path);
  const model = await loadModel(modelName);
  const { hash, name } = trace.header.model;
  if (hash !== null && hash !== (await fileSha256(model.weightsPath))) {
    await model.weights.close();
    throw new UsageError(`${path} was recorded with other weights of ${name} than those of ${modelName}`);
  }
  return { trace, model };
}
