import { UsageError } from '../../../src/errors.js';
import { decidedCases } from '../../lab/kinds/case-result.js';
import { openModel, questionsOf } from '../../lab/open.js';
import { planEach } from '../../lab/plan.js';
import type { ResultStore } from '../../lab/store.js';
import type { QualityOptions } from './options.js';
import { problemRuns } from './outcome.js';

/**
 * Every answer of a finished table as lm-evaluation-harness logs its samples (`--log_samples`), one JSON object a line;
 * `policy` says who decoded it. `quality --data` reads them as questions.
 * @throws UsageError without a data file
 */
export async function qualitySamples(options: QualityOptions, store: ResultStore): Promise<string> {
  if (options.data === undefined)
    throw new UsageError('samples are logged of questions of a file: give --data');
  const model = await openModel(options.model);
  await model.weights.close();
  const questions = questionsOf(model, options.data, options);
  const lines: string[] = [];
  for (let index = options.firstIndex; index < options.firstIndex + options.n; index++) {
    const { prompt, answer, scorer, text: textOf } = questions[index];
    const planned = await planEach(problemRuns(options, index));
    planned.forEach(({ hash }, at) => {
      const [result] = decidedCases(store.read(hash)).cases;
      const text = textOf(result.tokens);
      const sent = typeof prompt === 'string' ? { arg_0: prompt } : { arg_0: JSON.stringify(prompt) };
      const sample = {
        doc_id: index,
        doc: typeof prompt === 'string' ? { question: prompt, answer } : { messages: prompt, answer },
        messages: typeof prompt === 'string' ? undefined : prompt,
        target: answer,
        arguments: { gen_args_0: sent },
        resps: [[text]],
        filtered_resps: [text],
        filter: scorer,
        metrics: ['exact_match'],
        exact_match: Number(result.answer?.exact ?? false),
        policy: options.policies[at],
      };
      lines.push(JSON.stringify(sample));
    });
  }
  return lines.map((line) => `${line}\n`).join('');
}
