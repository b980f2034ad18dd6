import { type Execution, execute } from './execute.js';

/** Entry of a worker thread: kinds keep models and machines open between runs. */
export default function work(task: { readonly kind: string; readonly config: unknown }): Promise<Execution> {
  return execute(task.kind, task.config);
}
