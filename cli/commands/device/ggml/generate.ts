import { z } from 'zod';
import { DIFFUSION_ALGORITHMS } from '../../../../hw/choices.js';
import {
  diffusionArgs,
  parseDiffusionText,
  parseDiffusionTiming,
} from '../../../../hw/ggml/diffusion-cli.js';
import { defineCommand } from '../../../command.js';
import { targetEffects } from '../../../device-target.js';
import { MAX_POSITIONS } from '../../../limits.js';
import { GGML_NOTES, ggml, ggmlData, reportGgml, runTool } from '../../../run-ggml.js';

const count = z.int().min(1).max(MAX_POSITIONS);

export const command = defineCommand({
  options: {
    prompt: z.string().describe('prompt').meta({ value: 'text' }),
    length: count.default(128).describe('positions, prompt and answer together'),
    steps: count.default(64).describe('denoising steps'),
    algorithm: z.enum(DIFFUSION_ALGORITHMS).default('confidence').describe('which positions are committed'),
    blockLength: count.optional().describe('LLaDA: positions per block'),
    eps: z.number().min(0).max(1).optional().describe('Dream: end of the schedule'),
    temperature: z.number().min(0).max(100).default(0).describe('temperature'),
    seed: z.int().min(0).default(0).describe('seed'),
    ...ggml,
  },
  effects: targetEffects,
  notes: GGML_NOTES,
  examples: [
    'device ggml generate --package pkg-snapdragon/llama.cpp --model llada-8b-q4_0.gguf \\\n      --prompt "Why is the sky blue?" --block-length 32 --keep',
    'device ggml generate --runner local --device none --package /opt/llama.cpp --model dream.gguf \\\n      --prompt "Hello" --eps 0.001 --json',
  ],
  async run(ctx, asked) {
    const { prompt, length, steps, algorithm, eps, blockLength, temperature, seed, threads, device } = asked;
    const options = { prompt, length, steps, algorithm, temperature, seed, eps, blockLength, threads };
    const args = (model: string) => diffusionArgs({ model, ...options }, device);
    // Wrong options are told before anything is sent.
    args(asked.model);
    const result = await runTool(ctx, asked, 'llama-diffusion-cli', args);
    const timing = parseDiffusionTiming(`${result.stdout}\n${result.stderr}`);
    const text = parseDiffusionText(result.stdout, result.stderr);
    ctx.data({ text, timing, ...ggmlData(result) });
    ctx.print(`${text}\n`);
    const perStep = timing.samplingStepMs === null ? '' : `, of it sampling ${timing.samplingStepMs} ms`;
    ctx.print(`${timing.totalMs} ms in all, ${timing.stepMs} ms per step${perStep} (CPU and NPU together)`);
    reportGgml(ctx, asked, result);
  },
});
