import { createColors } from 'picocolors';
import { listModels } from '../../src/model/list-models.js';
import { table } from '../../src/util/table.js';
import { defineCommand } from '../command.js';

export const command = defineCommand({
  notes:
    'A model with weights here is for --model; the others are shapes of published models, for --cost-model. Your own is' +
    '\na directory (Hugging Face) or a .gguf file, by path: see `inspect`.',
  examples: ['models', 'models --json'],
  async run(ctx) {
    const models = await listModels();
    ctx.data(models);
    ctx.print(
      table(
        ['model', 'family', 'attention', '> parameters', '> layers', '> hidden', '> context', 'weights'],
        models.map((one) => [
          one.name,
          one.family,
          one.attention,
          one.params.toLocaleString('en'),
          String(one.layers),
          String(one.hidden),
          String(one.contextLength),
          one.weights ? 'here' : '',
        ]),
        { styleHeader: createColors(ctx.color).bold },
      ),
    );
  },
});
