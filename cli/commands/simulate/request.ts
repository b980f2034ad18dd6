import { createColors } from 'picocolors';
import { requestIntervals } from '../../../sim/interval/of-request.js';
import { timeRequest } from '../../../sim/workload/request.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { chipEffects, request, timedChip } from '../../groups.js';
import { heldNote, intervalText } from '../../interval-text.js';
import { openTimedMachine } from '../../timed-machine.js';

export const command = defineCommand({
  options: { prompt: request.prompt.default(512), answer: request.answer.default(128), ...timedChip },
  effects: chipEffects,
  notes:
    'Plain work: the prompt in the passes of the stack, then a pass of one row for every token of the answer. Where the time' +
    '\ngoes: `explain` with the same options. An answer by a decoding policy: `generate --machine`.',
  examples: [
    'simulate request --prompt 1024 --answer 256 --model qwen3-4b --stack llama.cpp-hexagon',
    'simulate request --prompt 300 --answer 0 --model model.gguf --stack my-stack.json',
  ],
  async run(ctx, { prompt, answer, ...chip }) {
    const machine = await openTimedMachine(chip);
    const timing = timeRequest(machine, { prompt, answer });
    const { whole, parts, held } = requestIntervals(machine, timing, ctx.signal);
    const { ms, msPerToken } = timing;
    const tokensPerS = msPerToken === null ? null : 1000 / msPerToken;
    ctx.data({
      machine: machine.name,
      prompt,
      answer,
      ms,
      ...whole,
      parts,
      msPerToken,
      tokensPerS,
      intervals: held,
    });
    ctx.print(`A prompt of ${prompt} and an answer of ${answer} on ${machine.name}, simulated\n`);
    ctx.print(
      table(
        ['part', '> ms', '80 % interval'],
        [...parts, { name: 'request', ms, ...whole }].map((part) => [
          part.name,
          part.ms.toFixed(1),
          intervalText(part),
        ]),
        { styleHeader: createColors(ctx.color).bold },
      ),
    );
    if (msPerToken !== null && tokensPerS !== null)
      ctx.print(`\n${msPerToken.toFixed(1)} ms a token of the answer, ${tokensPerS.toFixed(2)} tokens/s`);
    ctx.print(heldNote(held));
  },
});
