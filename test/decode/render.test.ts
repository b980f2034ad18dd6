import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { Canvas } from '../../src/decode/canvas/types.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policyByName, policySpecByName } from '../../src/decode/policies.js';
import { carpetOf, carpetOfTrace } from '../../src/decode/trace/carpet.js';
import { renderCanvas, renderLegend, renderStates } from '../../src/decode/trace/render.js';
import { traceOf } from '../../src/decode/trace/trace.js';
import { Script } from './support/script.js';
import { TOY_MASK, ToyEngine } from './support/toy-engine.js';

const text = (token: number): string => (token === 7 ? '\n' : String.fromCharCode(96 + token));

function canvasWithAll(): Canvas {
  const run = new Script(
    {
      name: 'all states',
      blockLength: 4,
      window: { kind: 'sliding', size: 5 },
      cache: { kind: 'prefix', seal: 'delayed' },
      commit: { kind: 'staged' },
      speculate: { kind: 'drafts' },
    },
    2,
    8,
  );
  run.step();
  run.step({ 2: [3, 0.95], 3: [7, 0.8], 6: [5, 0.9] });
  return run.canvas;
}

describe('rendering', () => {
  it('shows tokens, drafts and blanks without colour codes when colour is off', () => {
    const canvas = canvasWithAll();
    expect(renderCanvas(canvas, { text, color: false })).toBe('c⏎▒▒e···');
    expect(renderCanvas(canvas, { text, color: false, prompt: true })).toBe('aac⏎▒▒e···');
    expect(renderStates(canvas, { color: false })).toBe('SVII|DMMM');
    expect(renderLegend({ color: false })).toContain('V visible');
  });

  it('shows the token of a decided position, whatever its draft was', () => {
    const canvas = canvasWithAll();
    const draft = { token: 4, confidence: 1, step: 0 };
    const held = { ...canvas, positions: canvas.positions.map((position) => ({ ...position, draft })) };
    expect(renderCanvas(held, { text, color: false })).toBe('c⏎dddddd');
  });

  it('has no colours where it goes to no terminal', () => {
    expect(process.stdout.isTTY).not.toBe(true);
    expect(renderLegend()).toBe('S stable  V visible  D draft  I \u2592 invisible  M \u00b7 masked');
  });

  it('has them on a terminal that knows colours', () => {
    const before = process.stdout.isTTY;
    const coloured = renderLegend({ color: true });
    try {
      process.stdout.isTTY = true;
      expect(renderLegend()).toBe(pc.isColorSupported ? coloured : renderLegend({ color: false }));
    } finally {
      process.stdout.isTTY = before;
    }
    expect(coloured).not.toBe(renderLegend({ color: false }));
  });

  it('colours by state when asked to', () => {
    const line = renderCanvas(canvasWithAll(), { text, color: true });
    expect(line).toContain('\u001b[32mc');
    expect(line).toContain('\u001b[33m⏎');
    expect(line).toContain('\u001b[35me');
  });
});

describe('carpet', () => {
  it('begins with what was given', async () => {
    const policy = composePolicy({ ...policySpecByName('block-kv'), blockLength: 2 });
    const options = {
      policy,
      engine: new ToyEngine({ seed: 11 }),
      promptIds: [1, 2],
      genLength: 4,
      given: [5, TOY_MASK],
    };
    const { columns, commitSteps } = carpetOfTrace(traceOf(options, await decode(options)));
    expect(columns[0].marks).toBe('SIMM');
    expect(commitSteps[0]).toBeNull();
  });

  it('ends where the decode ends and remembers when each position was decided', async () => {
    const options = {
      policy: policyByName('llada.cpp'),
      engine: new ToyEngine({ seed: 11 }),
      promptIds: [1, 2],
      genLength: 64,
    };
    const canvases: Canvas[] = [];
    const result = await decode({ ...options, onStep: (_, canvas) => canvases.push(canvas) });
    const start = options.policy.start(options.promptIds, 64, TOY_MASK);
    const carpet = carpetOf(start, result.steps);
    expect(carpetOfTrace(traceOf(options, result))).toEqual(carpet);
    expect(carpet.columns.map(({ marks }) => marks)).toEqual(
      canvases.map((canvas) => renderStates(canvas, { color: false }).replaceAll('|', '')),
    );
    expect(carpet.columns.at(-1)?.tokens).toEqual(result.tokens);
    carpet.commitSteps.forEach((step, index) => {
      expect(step).not.toBeNull();
      expect('VS').toContain(carpet.columns[step ?? 0].marks[index]);
      expect('MID').toContain(carpet.columns[(step ?? 0) - 1].marks[index]);
    });
    const changed = result.steps.flatMap(({ transitions }) =>
      transitions.filter((t) => t.from === 'V' && t.token !== t.tokenBefore),
    );
    expect(carpet.revisions).toHaveLength(changed.length);
    expect(changed.length).toBeGreaterThan(0);
  });
});
