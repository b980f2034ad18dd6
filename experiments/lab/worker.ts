import { type Execution, execute } from './execute.js';
import { Lab } from './lab.js';

const lab = new Lab();

/** Entry of a worker thread: models and machines stay open between its runs. */
export default function work(task: { readonly kind: string; readonly config: unknown }): Promise<Execution> {
  return execute(task.kind, task.config, lab);
}
