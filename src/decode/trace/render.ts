import pc from 'picocolors';
import type { Canvas, Position } from '../canvas/types.js';
import { type CarpetMark, markOf } from './carpet.js';

export interface RenderOptions {
  /** Text of a token id. */
  readonly text: (token: number) => string;
  /** Default: whether stdout is a terminal and NO_COLOR is unset. */
  readonly color?: boolean;
  /** Show the prompt too. Default false. */
  readonly prompt?: boolean;
}

type Paint = (text: string) => string;
type Colors = ReturnType<typeof pc.createColors>;

function paints(colors: Colors): Record<CarpetMark, Paint> {
  return {
    M: colors.dim,
    I: colors.gray,
    D: colors.magenta,
    V: colors.yellow,
    S: colors.green,
  };
}

/** Shown where there is no token. */
const BLANK: Record<'M' | 'I', string> = { M: '·', I: '▒' };

/** Control characters and line breaks would tear the canvas apart. */
function oneLine(text: string): string {
  return text.replace(/\n/g, '⏎').replace(/\p{Cc}/gu, '�');
}

function cell(position: Position, mark: CarpetMark, text: RenderOptions['text']): string {
  if (mark === 'M' || mark === 'I') return BLANK[mark];
  return oneLine(text(mark === 'D' && position.draft !== null ? position.draft.token : position.token));
}

function colorsFor(color: boolean | undefined): Colors {
  return pc.createColors(color ?? (process.stdout.isTTY === true && pc.isColorSupported));
}

/**
 * The canvas on one logical line: decided tokens as text, drafts as text, `▒` for invisible, `·` for masked
 * positions. Green is stable, yellow visible, magenta a draft.
 */
export function renderCanvas(canvas: Canvas, options: RenderOptions): string {
  const colors = colorsFor(options.color);
  const paint = paints(colors);
  const from = options.prompt === true ? 0 : canvas.promptLength;
  return canvas.positions
    .slice(from)
    .map((position, index) => {
      if (from + index < canvas.promptLength) return colors.dim(oneLine(options.text(position.token)));
      const mark = markOf(position);
      return paint[mark](cell(position, mark, options.text));
    })
    .join('');
}

/** One letter per generated position (see `CarpetMark`), blocks separated by `|`. */
export function renderStates(canvas: Canvas, options: Pick<RenderOptions, 'color'> = {}): string {
  const paint = paints(colorsFor(options.color));
  return canvas.positions
    .slice(canvas.promptLength)
    .map((position, index) => {
      const mark = markOf(position);
      return `${index > 0 && index % canvas.blockLength === 0 ? '|' : ''}${paint[mark](mark)}`;
    })
    .join('');
}

/** What the colours mean, for the first line of a watch. */
export function renderLegend(options: Pick<RenderOptions, 'color'> = {}): string {
  const paint = paints(colorsFor(options.color));
  return [
    paint.S('S stable'),
    paint.V('V visible'),
    paint.D('D draft'),
    paint.I(`I ${BLANK.I} invisible`),
    paint.M(`M ${BLANK.M} masked`),
  ].join('  ');
}
